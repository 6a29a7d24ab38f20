"""The agent on DQN's page plays by the rules of the package's game, and values as the package's network does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import literatim
from literatim.datasets.catch import Catch
from literatim.datasets.experience import following, fresh

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PLAYED = """async (balls) => {
  const { begin, step, state } = await import("/assets/catch.js");
  return balls.map(([column, actions]) => {
    const seen = [begin(column)];
    for (const action of actions) seen.push(step(seen.at(-1), action));
    const { over, reward } = seen.at(-1);
    return { over, reward, states: seen.map((_, k) => [...state(seen.slice(0, k + 1))]) };
  });
}"""


def test_the_rules_are_the_package_s_over_many_balls(page, site):
    """Bytes of all four screens at every step of 300 balls, with bars that go anywhere."""
    page.goto(f"{site}/papers/dqn/")
    rng, game, rewards = np.random.default_rng(0), Catch(), []
    balls = [(k % 10, rng.integers(3, size=9).tolist()) for k in range(300)]
    for (column, actions), found in zip(balls, page.evaluate(PLAYED, balls), strict=True):
        game.reset(seed=0)
        game.ball = column
        states = [fresh(game.seen(), 4)]
        for action in actions:
            screen, reward, over, *_ = game.step(action)
            states.append(following(states[-1], screen))
        assert np.array_equal(np.array(found["states"]), np.array(states).reshape(10, -1))
        assert (found["over"], found["reward"]) == (over, reward)
        rewards.append(reward)
    assert {*rewards} == {1.0, -1.0}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_ball_is_played_with_keys_alone_and_read_aloud(page, site, scheme, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce", color_scheme=scheme)
    page.goto(f"{site}/papers/dqn/")
    demo = page.locator(".demo[data-demo=catch]")
    demo.locator("button").focus()
    page.keyboard.press("Enter")
    expect(demo.get_by_role("button", name="Play", exact=True)).to_be_focused(timeout=60_000)
    demo.get_by_role("button", name="is yours").press("Enter")
    for k in range(1, 4):
        page.wait_for_function("k => document.querySelector('.demo[data-demo=catch]').trace?.length === k", arg=k)
        ball, bar = demo.evaluate("demo => [demo.trace.at(-1).ball, demo.trace.at(-1).bar]")
        label = f"Row {k} of 10: the ball is in column {ball + 1}, the bar in columns {bar} to {bar + 2}."
        expect(demo.get_by_role("img", name=label)).to_be_visible()
        page.keyboard.press("ArrowRight" if k < 3 else "ArrowLeft")
        demo.get_by_role("button", name="Step", exact=True).press("Enter")
        page.wait_for_function("k => document.querySelector('.demo[data-demo=catch]').trace.length > k", arg=k)
        moved = min(ball + 1, 9) if k < 3 else max(ball - 1, 0)
        assert demo.evaluate("demo => demo.trace.at(-1).ball") == moved
    assert demo.evaluate("demo => demo.scrollWidth <= demo.clientWidth")
    page.add_script_tag(path=AXE)
    assert page.evaluate("async () => (await axe.run('.demo')).violations.map(v => v.id)") == []


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
