"""What measures and checks read: networks that are built once, numbers that other claims state, options of recipes."""

import pytest
import torch
from torch import nn

from literatim import trace
from literatim.claims import measures, setting, stated, verdicts
from literatim.claims.given import reading_noted, still_stated
from literatim.claims.once import measured_once, once
from literatim.errors import LiteratimError
from literatim.registry.facts import claim_key, paper_key
from literatim.registry.reading import claims
from literatim.trace.paper import verdict_of


def test_a_network_is_built_once_for_all_rows_of_a_table(monkeypatch):
    built, exact = [], verdicts.build
    monkeypatch.setattr(verdicts, "build", lambda *args, **options: built.append(args) or exact(*args, **options))
    assert len(verdicts.verify("vgg", claim="layers-a")) == 11
    assert built == [("vgg", "a", "meta")]
    verdicts.verify("vgg", claim="layers-a")
    assert len(built) == 2


def test_nothing_is_kept_outside():
    assert once("key", object) is not once("key", object)
    with measured_once():
        kept = once("key", object)
        assert once("key", object) is kept
        with measured_once():
            assert once("key", object) is not kept
        assert once("key", object) is kept
    assert once("key", object) is not kept


def test_shapes_and_operations_of_all_modules_are_those_of_each_alone():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)).to("meta")
    alone = [measures.output_shape(net, name, (3, 8, 8)) for name in ("0", "2", None)]
    with measured_once():
        assert [measures.output_shape(net, name, (3, 8, 8)) for name in ("0", "2", None)] == alone
        assert measures.multiply_adds(net, None, (3, 8, 8)) == 27 * 4 * 36 + 4 * 36 * 5
        assert measures.multiply_adds(net, "3", (3, 8, 8)) == 4 * 36 * 5
        with pytest.raises(LiteratimError, match='has no module "4"'):
            measures.output_shape(net, "4", (3, 8, 8))
    assert alone == [(4, 6, 6), (144,), (5,)]
    assert net.training


def test_a_module_that_nothing_passes_through_is_named():
    net = nn.ModuleDict({"used": nn.Linear(2, 2), "idle": nn.Linear(2, 2)})
    net.forward = lambda x: net["used"](x)
    with pytest.raises(LiteratimError, match='nothing passes through the module "idle"'):
        measures.output_shape(net, "idle", (2,))
    assert measures.output_shape(net, "used", (2,)) == (2,)
    assert isinstance(net["used"](torch.zeros(1, 2)), torch.Tensor)


def test_numbers_that_other_claims_state_and_options_of_recipes():
    assert stated("googlenet", "top5.7-models-144-crops") == 6.67
    assert setting("vgg", "imagenet", "data.batch_size") == 256
    with pytest.raises(KeyError):
        stated("googlenet", "top5.2-models")
    with pytest.raises(KeyError):
        setting("vgg", "imagenet", "data.batch")


def test_what_a_check_reads_of_other_claims_is_noted_with_its_verdict():
    (claim,) = (claim for claim in claims("vgg") if claim.id == "better-than-googlenet")
    read = {"vgg/others-classification.googlenet-1": 7.9, "vgg/test-top5-best": 7.0}
    assert verdict_of("vgg", claim)["read"] == read
    assert still_stated(read)
    assert not still_stated(read | {"vgg/test-top5-best": 7.1})
    assert not still_stated({"vgg/no-such-claim": 7.0})
    with reading_noted() as noted:
        assert not noted


def test_facts_are_not_of_today_where_a_number_that_a_verdict_read_has_changed(tmp_path, monkeypatch):
    found = {c.id: {"key": claim_key(c), "read": {"vgg/test-top5-best": 7.0}} for c in claims("vgg")}
    facts = {"key": paper_key("vgg"), "verdicts": found}
    monkeypatch.setattr(trace, "facts_of", lambda paper, to: facts)
    assert trace.is_current("vgg", tmp_path)
    found["quoted.googlenet-1"]["read"] = {"googlenet/top5.1-model-144-crops": 7.88}
    assert not trace.is_current("vgg", tmp_path)
