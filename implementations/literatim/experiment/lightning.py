"""The Lightning CLI behind a paper's name: `fit`, `validate`, `test`, `predict`, and what every run of ours adds."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from lightning_fabric.plugins.environments import KubeflowEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint, ProgressBar
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from literatim.errors import LiteratimError, LiteratimWarning, SaidElsewhere, did_you_mean
from literatim.experiment import callbacks, ranks, record, voice
from literatim.experiment.bar import Bar
from literatim.experiment.checkpoints import AtomicCheckpoints, read_checkpoint
from literatim.experiment.contents import Fits
from literatim.experiment.ending import how_it_ended
from literatim.experiment.film import ENDINGS, watched, write_film
from literatim.experiment.holding import held
from literatim.experiment.launch import first, launch
from literatim.experiment.limits import check_options
from literatim.experiment.loggers import move_logs, with_place_for_logs
from literatim.experiment.means import Means
from literatim.experiment.misfits import NO_MEMORY, mismatch, unfit
from literatim.experiment.options import NOT_OVERRIDES, PaperParser, flat, guard_imports, import_path, options, place_in
from literatim.experiment.origin import Origin, origin_of
from literatim.experiment.plateau import Plateau
from literatim.experiment.plots import draw_curve, write_figure, write_grid
from literatim.experiment.runs import CHECKPOINTS, run_of, write_json
from literatim.experiment.signals import Stopped
from literatim.experiment.starting import PaperTrainer, Starting, passed_on
from literatim.experiment.stopping import StopAtNaN, StopAtSignal
from literatim.experiment.taps import Taps
from literatim.loading import known_variant, shipped_weights, weights_state
from literatim.places import expanded
from literatim.registry.data import DATA_SETS
from literatim.registry.ledger import recipe_path
from literatim.registry.reading import card
from literatim.registry.settings import settings

MOST_LEVELS = 128_000_000  # of all images on a picture: half a gigabyte, some three of which it takes to write it


@dataclass
class Request:
    """What a command asks for; names and files in it have been checked."""

    command: str
    paper: str
    recipe: str
    args: list[str] = field(default_factory=list)  # options left for Lightning
    folder: Path | None = None  # the run folder of a `fit`
    checkpoint: Path | None = None
    files: list[str] = field(default_factory=list)  # images for `predict`
    weights: str | None = None  # shipped weights, where no checkpoint is given
    to: Path | None = None  # what `predict` writes: of a paper that generates a picture, of one that plays a film
    sampling: dict[str, Any] = field(default_factory=dict)  # number, seed and label of what is on it
    text: str | None = None  # what a paper that reads sequences is to read
    test_after: bool = False  # `reproduce`
    variant: str | None = None  # where one is named
    allowed: list[str] = field(default_factory=list)  # modules of others whose classes a configuration may name


class PaperCLI(LightningCLI):
    """LightningCLI for one paper, one recipe and one command."""

    def __init__(self, request: Request, origin: Origin | None = None, defaults: list[Path] | None = None) -> None:
        quieten()
        defaults = defaults or [recipe_path(request.paper, request.recipe)]
        self.origin = origin  # where there is a checkpoint
        self.request = request
        self.entry = card(request.paper)
        self.identity: dict[str, Any] = {}
        self.starting = Starting()
        self.earlier = origin.earlier(request.command, request.folder) if origin else []
        self.files = [*(Path(file) for file in options([*self.earlier, *request.args], "config")), *defaults]
        for file in self.files:
            settings(file)
        guard_imports(request.allowed)
        training = import_path(self.entry.training or "")
        super().__init__(
            training,
            import_path(DATA_SETS[self.entry.recipes[request.recipe].data].module),
            trainer_class=PaperTrainer,
            parser_class=PaperParser,
            parser_kwargs={request.command: {"default_config_files": [str(file) for file in defaults]}},
            auto_configure_optimizers=False,
            seed_everything_default=0,
            save_config_callback=None,  # `Identity` writes it
            trainer_defaults={
                "default_root_dir": str(request.folder) if request.folder else None,
                "logger": False,
                "enable_model_summary": False,
                "num_sanity_val_steps": 0,
                "enable_checkpointing": request.command == "fit",
                "precision": fastest_precision(training) if request.command == "fit" else "32-true",
                "use_distributed_sampler": False,
            },
        )

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """Only the one parser that is needed: each takes its time."""
        return {self.request.command: LightningCLI.subcommands()[self.request.command]}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.link_arguments("seed_everything", "data.seed", compute_fn=int)
        parser.set_defaults({"model.variant": self.entry.recipe_variants(self.request.recipe)[0]})

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Ours, not sys.argv, which stays as it is for the processes that a strategy may start."""
        self.launch = launch()
        launched = self.launch.options() if self.launch else []
        given = [self.request.command, *launched, *with_place_for_logs([*self.earlier, *self.request.args])]
        if self.request.checkpoint:
            given.append(f"--ckpt_path={self.request.checkpoint}")
        known = {text for action in self._parser(self.request.command)._actions for text in action.option_strings}
        for name in (arg.partition("=")[0] for arg in self.request.args if arg.startswith("--")):
            # jsonargparse would take --trainer.max_epoch for --trainer.max_epochs; `--model.options.x` is its x.
            if name not in known and not any(name.startswith(f"{text}.") for text in known if "." in text):
                near = [text for text in sorted(known) if text.endswith(f".{name.removeprefix('--')}")]
                hint = f'; did you mean "{near[0]}"?' if near else did_you_mean(name, known)
                raise LiteratimError(f'there is no option "{name}"{hint}')
        try:
            self.config = parser.parse_args(given)
        except LiteratimError as error:
            in_argv = any(name in str(error) for name in (a.lstrip("-").split("=")[0] for a in given[1:]))
            raise LiteratimError(str(error) if in_argv else place_in(self.files, str(error)) + str(error)) from None
        check_options(self.config[self.request.command], self.request.command)

    def _parse_ckpt_path(self) -> None:
        """Lightning takes the options of the training module from a checkpoint; those that are given here win."""
        if not self.origin:
            return
        command = self.request.command
        given = self.config.clone()[command].model
        try:
            self.config = self.parser.parse_object({command: {"model": self.origin.model}}, self.config)
        except LiteratimError as error:
            raise LiteratimError(f"{self.request.checkpoint}: {error}") from None
        model = self.config[command].model
        for name in {arg.partition("=")[0] for arg in self.request.args if arg.startswith("--model.")}:
            option, *inner = name.removeprefix("--model.").split(".", 1)
            model[option] = {**model[option], inner[0]: given[option][inner[0]]} if inner else given[option]

    def before_instantiate_classes(self) -> None:
        config = self.config[self.request.command]
        config.model.variant = known_variant(self.request.paper, config.model.variant)
        check_precision(config.trainer)
        check_strategy(config.trainer.strategy)
        for name, value in flat(config).items():
            if isinstance(value, str) and value.startswith("~/"):  # in a file; the command line's are expanded
                config[name] = str(expanded(value))
        look_for = getattr(self.datamodule_class, "look_for", None)
        if look_for and self.request.command != "predict":
            look_for(config.data.root)  # before the model is made, for which weights may be downloaded
        if self.request.command == "fit":
            self.identity = self.resumed_identity(self.origin.identity) if self.origin else self.new_identity(config)

    def new_identity(self, config: Any) -> dict[str, Any]:
        plain = self.parser.parse_args([self.request.command])[self.request.command]
        ours, recipe = flat(config), flat(plain)
        differing = [key for key in sorted({*ours, *recipe}) if ours.get(key) != recipe.get(key)]
        overrides = [f"{key}={ours.get(key)}" for key in differing if not key.startswith(NOT_OVERRIDES)]
        if config.model.variant not in self.entry.recipe_variants(self.request.recipe):
            overrides.append(f"model.variant={config.model.variant}")
        options = dict(config.model.get("options") or {})
        seed = int(config.seed_everything)
        return record.identity(
            self.request.paper, self.request.recipe, config.model.variant, options, seed, overrides, self.request.args
        )

    def resumed_identity(self, began: dict[str, Any]) -> dict[str, Any]:
        """The identity the run began with; options or code that changed since then are noted in it."""
        names = ("paper", "recipe", "variant", "options", "seed", "overrides", "args")
        now = record.identity(*(began[name] for name in names))
        given = [arg[2:].partition("=")[0] for arg in self.request.args if arg.startswith("--")]
        ours = flat(self.config[self.request.command])
        more = [f"{name}={ours.get(name)}" for name in given if not name.startswith(NOT_OVERRIDES)]
        same = record.same_run({**now, "began_from": began.get("began_from")}, began)
        dirty = began["dirty"] or now["dirty"] or not same
        names_now = [text.partition("=")[0] for text in more]
        before = [text for text in began["overrides"] if text.partition("=")[0] not in names_now]
        return {**began, "overrides": [*before, *dict.fromkeys(more)], "dirty": dirty}

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        config = self.config_init[self.request.command].trainer
        theirs = config.callbacks if isinstance(config.callbacks, list) else [config.callbacks]
        plugins = config.plugins if isinstance(config.plugins, list) else [config.plugins] * bool(config.plugins)
        barred = config.enable_progress_bar is False or any(isinstance(other, ProgressBar) for other in theirs)
        own: list[Any] = [self.starting, ranks.FairShares(), *([Bar()] if first() and not barred else [])]
        folder = self.request.folder
        if folder and not options(self.request.args, "trainer.default_root_dir"):
            kwargs["default_root_dir"] = str(folder)  # wherever the run lies now, and whatever a configuration says
        if self.request.command == "fit" and folder:
            self.curve = callbacks.Curve(folder)
            place: dict[str, Any] = {
                "dirpath": folder / CHECKPOINTS,
                "enable_version_counter": False,
                "save_on_train_epoch_end": True,
            }
            self.stop = StopAtSignal(folder)
            own += [
                ranks.OneFolder(folder, self.request.checkpoint, self.take_folder),
                Fits(),
                Taps(),
                callbacks.Identity(self.identity, folder, self.configuration()),
                Means(),
                ranks.OfEachRank(),
                StopAtNaN(),
                self.stop,
                self.curve,
                Plateau(),
            ]
            if "val" in getattr(self.datamodule, "watch", ()):
                monitor, mode = getattr(self.model, "best", ("val_error", "min"))
                own.append(ModelCheckpoint(filename="best", monitor=monitor, mode=mode, **place))
            own.append(ModelCheckpoint(filename="last", **place))  # after `best`, whose newest value it holds
            kwargs["plugins"] = [*plugins, AtomicCheckpoints()]
        elif self.request.checkpoint:
            kwargs["plugins"] = [*plugins, AtomicCheckpoints()]
        if self.launch and self.launch.by == "Kubernetes" and self.launch.world > 1:  # which Lightning does not notice
            os.environ.setdefault("MASTER_PORT", "29500")
            kwargs["plugins"] = [*kwargs.get("plugins", plugins), KubeflowEnvironment()]
        self.trainer_defaults["callbacks"] = own
        trainer = super().instantiate_trainer(**kwargs)
        # A run of so many steps that went on after an epoch had this epoch's end once more, and passed over the next.
        trainer.fit_loop._iteration_based_training = lambda: False  # type: ignore[method-assign]
        if self.launch:
            self.launch.check(trainer.num_devices, trainer.num_nodes)
        # Lightning's own would end a run at SIGTERM with status 0, and requeue SLURM's jobs by checkpoints of its own.
        trainer._signal_connector.register_signal_handlers = lambda: None  # type: ignore[method-assign]
        return trainer

    def configuration(self) -> str:
        """What the run is made with; not where it lies or what it goes on from, for others begin theirs from it."""
        config = self.config[self.request.command].clone()
        config.ckpt_path = config.trainer.default_root_dir = None
        move_logs(config.trainer, str(self.request.folder), "")
        return str(self._parser(self.request.command).dump(config, skip_none=False))

    def take_folder(self, folder: Path) -> None:
        """The run folder that the first process has made."""
        self.request.folder = self.stop.folder = self.curve.folder = folder

    def instantiate_classes(self) -> None:
        move_logs(self.config[self.request.command].trainer, "", str(self.request.folder or Path()))
        with self.explained():
            super().instantiate_classes()

    def _run_subcommand(self, subcommand: str) -> None:
        with self.explained():
            super()._run_subcommand(subcommand)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What others say of the options until the first epoch is over; `run` knows the rest."""
        try:
            yield
        except Exception as error:
            if isinstance(error, IndexError) and not getattr(self.datamodule, "watch", True):
                raise LiteratimError(
                    "this recipe looks at the first set that is watched; --data.watch names one"
                ) from None
            known = mismatch(str(error)) or (self.request.checkpoint and unfit(error))
            said = "" if self.starting.over or known else passed_on(error, self.request.args)
            if not said:
                raise
            raise LiteratimError(said) from None

    # --- the commands ------------------------------------------------------------------------------

    def after_fit(self) -> None:
        if not self.starting.epochs and not self.request.checkpoint:
            raise LiteratimError("nothing was trained, so there is no record; look at the Trainer's options")
        best = self.go_back_to_best()
        # From the curve, which a run that goes on has whole even if nothing was left to do.
        rows = [row for row in self.curve.rows if best is None or row["epoch"] == best]
        metrics = {k: v for k, v in (rows[-1] if rows else {}).items() if k not in ("epoch", "step", "wall_s")}
        metrics |= {"best_epoch": best} if best else {}
        if self.request.test_after:
            found = self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
            metrics |= {k: callbacks.shortened(v) for k, v in found[0].items()}
        accelerator = type(self.trainer.accelerator).__name__.removesuffix("Accelerator").lower()
        taken = (self.curve.wall, self.curve.threads, accelerator, str(self.trainer.precision))
        rest = record.outcome(metrics, *taken, self.datamodule)
        self.record = {**self.identity, **rest, "tested": self.request.test_after}
        folder = self.request.folder
        if folder and self.trainer.is_global_zero:
            if self.curve.rows:
                title = f"{self.request.paper}, recipe {self.request.recipe}, seed {self.identity['seed']}"
                draw_curve(self.curve.rows, title, folder / "curve.png", self.entry.error_unit)
            for name, images in getattr(self.model, "pictures", tuple)():
                write_grid(images, folder / f"{name}.png")
            for name, figure in getattr(self.model, "drawings", tuple)():
                write_figure(figure, folder / f"{name}.png")
            write_json(folder / record.RECORD, self.record)
            go_on = f"literatim fit {self.request.paper} --recipe {self.request.recipe} --ckpt_path "
            go_on += str(folder / CHECKPOINTS / "last.ckpt")
            trained = self.starting.epochs > 0 or self.request.test_after
            if said := how_it_ended(self.trainer, trained, go_on):
                warnings.warn(said, LiteratimWarning, stacklevel=1)

    def go_back_to_best(self) -> int | None:
        """The best weights of the run, where a training says that they are its outcome; returns their epoch."""
        folder = self.request.folder
        if folder and getattr(self.model, "stops_at_best", False):
            best = folder / CHECKPOINTS / "best.ckpt"
            if best.is_file():
                found = read_checkpoint(best)
                self.model.load_state_dict(found["state_dict"])
                return int(found["epoch"]) + 1
        return None

    def before_validate(self) -> None:
        self.take_weights()

    def before_test(self) -> None:
        self.take_weights()

    def before_predict(self) -> None:
        generates, reads = hasattr(self.model, "sample"), hasattr(self.model, "read_text")
        plays = hasattr(self.datamodule, "episode")
        paper, to = self.request.paper, self.request.to
        filmed = to is not None and to.suffix.lower() in ENDINGS
        if plays and not filmed:
            raise LiteratimError(f"{paper} plays a game: literatim predict {paper} --to film.gif, or film.mp4")
        if filmed and not plays:
            raise LiteratimError(
                f"{paper} plays no game, and a film shows an agent that does: literatim predict dqn --to {to}"
            )
        if self.request.text is not None and not reads:
            raise LiteratimError(f"{paper} reads no text; literatim predict --help says what to give a paper")
        if reads and self.request.text is None and not self.request.to:
            raise LiteratimError(f"{paper} reads sequences: literatim predict {paper} --text ...")
        if to and not generates and not plays:
            raise LiteratimError(f"{paper} generates no images; name some for it: literatim predict {paper} seven.png")
        if generates and not self.request.to:
            raise LiteratimError(f"{paper} generates images: literatim predict {paper} --to samples.png")
        self.datamodule.predicted = self.request.files
        self.read = self.model.read_text(self.request.text) if self.request.text is not None else None
        self.take_weights()

    def predict(self, **kwargs: Any) -> None:
        if to := self.request.to:
            return self.write_film(to) if to.suffix.lower() in ENDINGS else self.write_samples(to)
        if self.request.text is not None:
            self.take_checkpoint()
            with torch.inference_mode():
                self.rows = self.model.eval().answer(self.read)
            return
        batches: Any = self.trainer.predict(**kwargs)
        self.predictions = torch.cat(batches)

    def write_samples(self, to: Path) -> None:
        """A square of samples, its last row filled up with black."""
        self.take_checkpoint()
        if not first():
            return
        number, one = self.request.sampling["number"], self.model.sample(**{**self.request.sampling, "number": 1})
        if number * one.numel() > MOST_LEVELS:
            raise LiteratimError(
                f"--number is {number}; of images of {one.shape[-1]} x {one.shape[-2]} pixels at most "
                f"{max(1, MOST_LEVELS // one.numel()):,} fit on a picture"
            )
        samples: torch.Tensor = self.model.sample(**self.request.sampling)
        columns = math.ceil(math.sqrt(len(samples)))
        rows = math.ceil(len(samples) / columns)
        filled = samples.new_zeros(rows * columns, *samples.shape[1:])
        filled[: len(samples)] = samples
        write_grid(filled.unflatten(0, (rows, columns)), to)

    def write_film(self, to: Path) -> None:
        """The episodes of a test from number `seed` on, until `number` steps are shown."""
        self.take_checkpoint()
        if first():
            asked = self.request.sampling
            film = watched(self.trainer, self.model, self.datamodule, asked["seed"], asked["number"])
            self.scores = film.scores
            write_film(film, self.datamodule.environment.rpartition("/")[2].partition("-")[0], to)

    def take_checkpoint(self) -> None:
        """The weights of a run, where Lightning is not asked to take them."""
        if self.request.checkpoint:
            self.model.load_state_dict(read_checkpoint(self.request.checkpoint)["state_dict"])

    def take_weights(self) -> None:
        """The shipped weights, where no checkpoint is given."""
        if self.request.checkpoint is None:
            name = self.request.weights or ""
            shipped = shipped_weights(self.request.paper)[name]
            try:
                self.model.net.load_state_dict(weights_state(shipped))
            except RuntimeError as error:
                what = " ".join(str(error).split())
                raise LiteratimError(f'the weights "{name}" do not fit this model: {what}') from None


def quieten() -> None:
    """Lightning's own remarks say what ours say better."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", module="lightning_fabric")


def fastest_precision(training: type) -> Any:
    """bf16 where a training says that it learns as well in it, and a processor without a GPU has it of its own."""
    bf16 = getattr(training, "bf16", False) and not torch.accelerator.is_available() and has_bf16()
    return "bf16-mixed" if bf16 else "32-true"


def has_bf16() -> bool:
    """Whether the processor computes in bf16 itself."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def check_strategy(strategy: Any) -> None:
    """Processes that are forked or spawned from this one could not be told what it has checked and opened."""
    if isinstance(strategy, str) and strategy.lower().startswith(("ddp_spawn", "ddp_fork", "ddp_notebook")):
        raise LiteratimError(
            f"--trainer.strategy {strategy}: take ddp, which starts as many processes, each with a command of its own"
        )


def check_precision(trainer: Any) -> None:
    """bf16 on a processor without it is emulated, ten times slower than fp32: refuse it."""
    if not str(trainer.precision).startswith("bf16"):
        return
    on_cpu = trainer.accelerator == "cpu" or (trainer.accelerator == "auto" and not torch.accelerator.is_available())
    if on_cpu and not has_bf16():
        raise LiteratimError(
            "this processor has no bf16 of its own, and emulation is slower than fp32; use --trainer.precision 32"
        )


@voice.watched()
def run(request: Request) -> PaperCLI:
    """Run a command. Raises LiteratimError for what the user can mend, `signals.Stopped` after a signal."""
    origin, kept = None, None
    if request.checkpoint:
        kept = run_of(request.checkpoint)
        origin = origin_of(request.checkpoint, kept, request.command)
        check_origin(origin, request)
    try:
        with (
            held(request.folder) if request.folder and first() else nullcontext(),
            origin.defaults(request.command, kept) if origin else nullcontext() as defaults,
        ):
            # The parser stays in a variable of the context: without one of its own, model and data would live on.
            return copy_context().run(PaperCLI, request, origin, defaults)
    except (Exception, Stopped) as error:
        ours = understandable(error, request.checkpoint)
        agreed = isinstance(error, Stopped) and error.agreed
        if several() and not agreed and (isinstance(ours, (LiteratimError, Stopped)) or voice.of_another(ours)):
            ours = voice.one_voice(ours)
        elif isinstance(ours, torch.distributed.DistError):  # they were not connected yet
            ours = LiteratimError(voice.ENDED) if first() else SaidElsewhere()
        if ours is error:
            raise
        raise ours from None


def check_origin(origin: Origin, request: Request) -> None:
    identity = origin.identity
    if (of := (identity["paper"], identity["recipe"])) != (request.paper, request.recipe):
        raise LiteratimError(
            f"{request.checkpoint}: a checkpoint of {of[0]}, recipe {of[1]}, not of {request.paper}, recipe "
            f"{request.recipe}; name them as they are"
        )
    if request.variant not in (None, identity["variant"]):
        raise LiteratimError(
            f"{request.checkpoint}: a checkpoint of {request.paper} {identity['variant']}, not of "
            f"{request.variant}; name the network as it is, or another checkpoint"
        )


def understandable(error: BaseException, checkpoint: Path | None) -> BaseException:
    """A sentence in place of what Lightning and torch say of the user's mistakes; other errors as they are."""
    if checkpoint and not isinstance(error, LiteratimError) and (sentence := unfit(error)):
        return LiteratimError(f"{checkpoint}: {sentence}")
    if isinstance(error, MisconfigurationException):
        return LiteratimError(" ".join(str(error).split()))
    if isinstance(error, (IndexError, RuntimeError)) and (sentence := mismatch(str(error))):
        return LiteratimError(sentence)
    if isinstance(error, MemoryError):
        return LiteratimError(mismatch(NO_MEMORY))
    if type(error) is LiteratimError and "\n" in str(error):  # what others said is in it
        return LiteratimError(" ".join(str(error).split()))
    return error


def alone() -> None:
    """Leave the others, with whom nothing is to be done any more."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def several() -> bool:
    """Whether this process is connected with others."""
    return torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1
