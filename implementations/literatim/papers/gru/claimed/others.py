"""What others have in the place of the paper's unit: torch, ONNX and the authors' own released code."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from literatim.papers.gru import model
from literatim.papers.gru.claimed.small import SOURCE, TARGET, small


def states(net: model.EncoderDecoder, x: Tensor) -> Tensor:
    with torch.no_grad():
        return net.encoder(x)


def stacked(net: nn.Module, order: str, sign: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """(W, U, b) of a unit with those of its gates below one another in an order such as "rz" with "" for h~ ("-")."""
    parts = [
        tuple(
            net.get_parameter(f"{name}{'' if gate == '-' else '_' + gate}{'' if name == 'b' else '.weight'}").detach()
            for name in "wub"
        )
        for gate in order
    ]
    w, u, b = (torch.cat(column) * sign for column in zip(*parts, strict=True))
    return w, u, b


def torch_differs() -> bool:
    """nn.GRU with the encoder's weights: the same z, but other states; and it has a second vector of biases.

    It is the decoder's unit of A.1.1 with its own recurrent bias in the place of C c: the reset gate stands behind the
    matrix, and on that bias as well.
    """
    net = small()
    enc, dec = net.encoder, net.decoder
    theirs = nn.GRU(3, 5, batch_first=True).double()
    w, u, b = stacked(enc, "rz-")
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(w)
        theirs.weight_hh_l0.copy_(u)
        theirs.bias_ih_l0.copy_(b)
        theirs.bias_hh_l0.zero_()
        other = theirs(enc.e(SOURCE[:1]))[0]
        differs = float((other - states(net, SOURCE[:1])).abs().max()) > 1e-2
        enc.b_r.fill_(1e3)  # where nothing is reset they are the same: z has the same direction
        theirs.bias_ih_l0.copy_(stacked(enc, "rz-")[2])
        same = torch.allclose(theirs(enc.e(SOURCE[:1]))[0], states(net, SOURCE[:1]), atol=1e-12)
        w, u, b = stacked(dec, "rz-")
        theirs.weight_ih_l0.copy_(w)
        theirs.weight_hh_l0.copy_(u)
        theirs.bias_ih_l0.copy_(b)
        c = torch.linspace(-1, 1, 5, dtype=torch.float64)
        theirs.bias_hh_l0.copy_(torch.cat([dec.c_r(c), dec.c_z(c), dec.c(c)]))
        h = dec.start(c)[None]
        e = dec.e(TARGET[1:2])
        of_torch = theirs(e, h[None])[0]
        context, mine = dec.context(c[None]), []
        for t in range(e.shape[1]):
            h = dec.moved(dec.inputs(e[:, t]), h, context)
            mine.append(h)
    twice = sum(p.numel() for name, p in theirs.named_parameters() if "bias" in name) == 2 * 3 * 5
    return differs and same and twice and torch.allclose(of_torch, torch.stack(mine, dim=1), atol=1e-12)


def onnx_states(net: model.EncoderDecoder, x: Tensor, before: int) -> Tensor:
    """The states of ONNX's operator GRU with the encoder's weights and `linear_before_reset`, by onnx.reference."""
    from onnx import TensorProto, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    w, u, b = stacked(net.encoder, "zr-")  # its order
    bias = torch.cat([b, torch.zeros_like(b)])  # of W and of R
    constants = [
        numpy_helper.from_array(value[None].numpy().astype(np.float64), name)
        for name, value in (("W", w), ("R", u), ("B", bias))
    ]
    node = helper.make_node("GRU", ["X", "W", "R", "B"], ["Y"], hidden_size=u.shape[1], linear_before_reset=before)
    graph = helper.make_graph(
        [node],
        "unit",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, None)],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, None)],
        constants,
    )
    session = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)]))
    e = net.encoder.e(x).detach().transpose(0, 1).numpy()
    return torch.from_numpy(session.run(None, {"X": e})[0][:, 0]).transpose(0, 1)


def onnx_as_set() -> bool:
    """With `linear_before_reset` 0 the operator is Eq. 5 to 8, z's direction included; with 1 it is not."""
    net = small()
    mine = states(net, SOURCE[:1])
    differs = float((onnx_states(net, SOURCE[:1], 1) - mine).abs().max()) > 1e-2
    return torch.allclose(onnx_states(net, SOURCE[:1], 0), mine, atol=1e-10) and differs


def keras_states(net: model.EncoderDecoder, x: Tensor, reset_after: bool) -> Tensor:
    """The states by GRUCell.call of Keras 3 (keras/src/layers/rnn/gru.py), read and not run, with the encoder's weights
    and no second bias."""
    w, u, b = stacked(net.encoder, "zr-")  # its order
    of_states, h, made = u.chunk(3), torch.zeros(1, u.shape[1], dtype=u.dtype), []
    with torch.no_grad():
        for e in net.encoder.e(x)[0]:
            x_z, x_r, x_h = (e @ w.T + b).chunk(3)
            u_z, u_r, u_h = (matrix.T for matrix in of_states)
            z, r = torch.sigmoid(x_z + h @ u_z), torch.sigmoid(x_r + h @ u_r)
            h = z * h + (1 - z) * torch.tanh(x_h + (r * (h @ u_h) if reset_after else (r * h) @ u_h))
            made.append(h)
    return torch.stack(made, dim=1)


def keras_as_set() -> bool:
    """With `reset_after` false it is Eq. 5 to 8, z's direction included; with true, its default, it is not."""
    net = small()
    mine = states(net, SOURCE[:1])
    differs = float((keras_states(net, SOURCE[:1], True) - mine).abs().max()) > 1e-2
    return torch.allclose(keras_states(net, SOURCE[:1], False), mine, atol=1e-12) and differs


def released_step(net: nn.Module, inputs: tuple[Tensor, ...], h: Tensor, of_c: tuple[Tensor, ...]) -> Tensor:
    """GroundHog's RecurrentLayer.step_fprop (rec_layers.py): its gate keeps the new state; r is before the matrix."""
    below, gater, reseter = (mine + more for mine, more in zip(inputs, of_c, strict=True))
    reset = torch.sigmoid(net.u_r(h) + reseter) * h
    gate = torch.sigmoid(net.u_z(h) + gater)
    return gate * torch.tanh(net.u(reset) + below) + (1 - gate) * h


def released_differs() -> bool:
    """The released code's unit is the encoder's with z turned round; its decoder resets before the matrix, too."""
    net = small()
    enc, dec = net.encoder, net.decoder
    h = torch.linspace(-0.9, 0.7, 5, dtype=torch.float64)[None]
    c = torch.linspace(-1, 1, 5, dtype=torch.float64)[None]
    word = torch.tensor([2])
    none = (torch.zeros(1, 5, dtype=torch.float64),) * 3
    with torch.no_grad():
        mine = enc.moved(enc.inputs(enc.e(word)), h)
        as_it_is = released_step(enc, enc.inputs(enc.e(word)), h, none)
        context = dec.context(c)
        of_c = (context.of_h, *context.of_gates)
        decoded = dec.moved(dec.inputs(dec.e(word)), h, context)
        for net_ in (enc, dec):  # a gate turned round is one with the weights of the other sign
            for name in ("w_z.weight", "u_z.weight", "b_z"):
                net_.get_parameter(name).neg_()
        turned = released_step(enc, enc.inputs(enc.e(word)), h, none)
        of_c = (of_c[0], -of_c[1], of_c[2])
        still = released_step(dec, dec.inputs(dec.e(word)), h, of_c)
    same = torch.allclose(turned, mine, atol=1e-12)
    return same and not torch.allclose(as_it_is, mine, atol=1e-2) and not torch.allclose(still, decoded, atol=1e-2)
