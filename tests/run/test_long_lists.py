"""A list of images may be as long as the configuration says: nothing is decided on what may be only a part of it."""

from pathlib import Path

import pytest

from janitor.core.result import Mode, Outcome
from janitor.run.sites import Choice
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options
from tests import runs
from tests.conftest import POLICY
from tests.in_process import in_process


@pytest.mark.parametrize("api", Api)
def test_a_list_of_more_images_than_the_configuration_allows_fails_the_target(tmp_path: Path, api: Api) -> None:
    sandbox, transport = in_process(Options(api=api, images=120))
    settings, rules = runs.settings_on(
        tmp_path, sandbox, "limits: {max_images: 100}", mode=Mode.DELETE, policies=POLICY
    )
    result = runs.perform(settings, rules, Mode.DELETE, Choice(settings.targets), http_transport=transport)
    assert result.outcome is Outcome.REFUSED
    [target] = result.targets
    assert "the list has more than 100 images: raise limits.max_images if the account is so large" in str(target.error)
    assert not target.decisions
    assert not [request for request in sandbox.requests if request.method == "DELETE"]
