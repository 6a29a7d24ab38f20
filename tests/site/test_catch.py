"""The agent on DQN's page plays by the rules of the package's game, and values as the package's network does."""

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.datasets.catch import Catch
from literatim.datasets.experience import following, fresh


@pytest.fixture(scope="module")
def net():
    return literatim.load("dqn", "catch", weights="quick").eval()


@torch.no_grad()
def played(net, column):
    """A ball from a column: the row, the ball, the bar and the values before each step, and the reward."""
    game = Catch()
    game.reset(seed=0)
    game.ball, rows, over = column, [], False
    state = fresh(game.seen(), 4)
    while not over:
        values = net(torch.from_numpy(state)[None].float() / 255)[0]
        rows.append([game.row, game.ball, game.bar, *values.tolist()])
        screen, reward, over, *_ = game.step(int(values.argmax()))
        state = following(state, screen)
    return np.array(rows), reward


@pytest.mark.parametrize("language", ["", "/zh"])
def test_the_page_plays_by_the_rules_and_values_as_the_network(page, site, net, language):
    page.emulate_media(reduced_motion="reduce")  # so that it waits to be stepped
    page.goto(f"{site}{language}/papers/dqn/")
    demo = page.locator(".demo[data-demo=catch]")
    demo.locator("button").first.click()
    expect(demo.locator(".catch-field")).to_be_visible(timeout=60_000)
    step = demo.get_by_role("button", name="单步" if language else "Step", exact=True)
    columns = set()
    for _ in range(6):
        for _ in range(9):
            before = demo.evaluate("demo => demo.trace.length")
            step.click()
            page.wait_for_function(
                "n => document.querySelector('.demo[data-demo=catch]').trace.length === n", arg=before + 1
            )
        found = demo.evaluate("demo => demo.trace.map(t => [t.row, t.ball, t.bar, ...(t.values ?? [])])")
        rows, reward = played(net, found[0][1])
        np.testing.assert_allclose(np.array(found[:-1]), rows, atol=1e-4)
        assert demo.evaluate("demo => demo.trace.at(-1).reward") == reward
        columns.add(found[0][1])
        step.click()  # another ball
        page.wait_for_function("() => document.querySelector('.demo[data-demo=catch]').trace.length === 1")
    assert len(columns) > 1


def test_the_reader_may_push_the_ball(page, site):
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{site}/papers/dqn/")
    demo = page.locator(".demo[data-demo=catch]")
    demo.locator("button").first.click()
    demo.get_by_role("button", name="is yours").click(timeout=60_000)
    page.wait_for_function("() => document.querySelector('.demo[data-demo=catch]').trace?.length === 1")
    ball = demo.evaluate("demo => demo.trace[0].ball")
    demo.get_by_role("button", name="Ball to the left" if ball else "Ball to the right").click()
    demo.get_by_role("button", name="Step", exact=True).click()
    page.wait_for_function("() => document.querySelector('.demo[data-demo=catch]').trace.length === 2")
    assert demo.evaluate("demo => demo.trace[1].ball") == (ball - 1 if ball else 1)
