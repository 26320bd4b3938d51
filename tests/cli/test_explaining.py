"""`janitor explain` as a user sees it: by id or by name, as text and as JSON, with a zone beside every time."""

import json
import re

import pytest

from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.store import Store
from tests.config.configuration import TARGET
from tests.conftest import Desk
from tests.factories import NOW, make_image

POLICIES = """\
policies:
  - name: golden
    match: {name: "golden-*"}
  - name: old
    match: {name: "*"}
    expire: {after: 14d}
    keep: {newest: 3, per: policy}
exempt:
  - {image: twin, until: 2020-12-31, why: a rollback}
"""


@pytest.fixture
def named(desk: Desk) -> Desk:
    """A desk whose runs saw images of one name, some of them no longer, and one with a name of its own."""
    desk.write("janitor.yaml", f"{TARGET}timezone: Asia/Seoul\npolicies: policies.yaml\n")
    desk.write("policies.yaml", POLICIES)
    twins = [make_image("twin", id=f"{number:x}-twin") for number in range(12)]
    gone, again = make_image("gone", id="g-1"), [make_image("again", id=f"r-{number}") for number in range(2)]
    other = make_image("g", id="other")
    with Store.open(desk.folder / "janitor.db") as store:
        for images in ([*twins, gone, again[0], other], [*twins, again[1], other]):
            run = store.begin_run(Mode.DRY_RUN, NOW)
            store.record_survey(run, "prod", Survey(tuple(images), Usage(), NOW, NOW))
    return desk


@pytest.mark.parametrize(
    ("word", "image"),
    [
        pytest.param("g-1", "g-1", id="id"),
        pytest.param("othe", "other", id="the-start-of-an-id"),
        pytest.param("gone", "g-1", id="a-name-that-is-no-longer-listed"),
        pytest.param("again", "r-1", id="the-listed-one-of-a-name"),
    ],
)
def test_one_image_is_meant(named: Desk, word: str, image: str) -> None:
    done = named.janitor("explain", word)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{image} in prod\n")
    assert json.loads(named.janitor("explain", word, "--format", "json").stdout)["image"] == image


@pytest.mark.parametrize(
    ("word", "said"),
    [
        pytest.param("twin", '"twin" is the name of 12 images, give an id: 0-twin in prod; 1-twin', id="names"),
        pytest.param("g", '"g" is the name of 1 image, give an id: other in prod, and the start of g-1', id="both"),
        pytest.param(
            "twi",
            '"twi" is neither an id, the start of one, nor the name of a listed image: no run has seen one',
            id="a-part-of-a-name",
        ),
        pytest.param("r-", '"r-" is the start of 2 ids: r-0, r-1', id="ids"),
    ],
)
def test_a_word_that_several_images_have_names_them(named: Desk, word: str, said: str) -> None:
    done = named.janitor("explain", word)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_text_and_json_say_the_same(named: Desk) -> None:
    text = " ".join(named.janitor("explain", "0-twin").stdout.split())
    [told] = json.loads(named.janitor("explain", "0-twin", "--format", "json").stdout)["targets"]
    assert [answer["policy"] for answer in told["policies"]] == ["golden", "old"]
    assert 'golden no: name is "twin", wanted golden-*' in text
    rank = told["family"]["rank"]
    assert re.search(rf"rank {rank}(st|nd|rd|th) of 14, the newest 3 stay", text)
    assert ("would be deleted by the next live run" in text) is told["would_be_deleted"]
    assert [granted["source"] for granted in told["exemptions"]] == ["policy-file"]
    assert "in a policy file: through 2020-12-31 (Asia/Seoul) by policies.yaml: a rollback; expired" in text
    assert told["seen_at"] == "2026-11-23T03:00:00Z"
    assert "seen 2026-11-23 12:00 KST" in text
    assert [event["event"] for event in told["history"]] == ['first seen: "twin", active']


def test_every_time_for_people_has_the_zone_of_the_configuration(named: Desk) -> None:
    text = named.janitor("explain", "0-twin").stdout
    assert not re.search(r"\d\d:\d\dZ", text)
    assert len(re.findall(r"\d\d:\d\d KST", text)) >= 4
