"""`python -m benchmarks.declared MIB ROUNDS`: reads declared references; prints a ratio for each round, as JSON.

It is how much more CPU time it takes to find what all of the texts name than to search them once.

An image is named, by id and by name, about once in ten KiB of text: each one some once in 100 MiB.

A process of its own, because texts and matcher would count into the peaks of all that is measured after them.
"""

import gc
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from ahocorasick_rs import BytesAhoCorasick

from janitor.core.image import Image
from janitor.references import Reference
from janitor.references.reading import References

IMAGES = 10_000
_FAMILIES = ("ci-web", "ci-api", "bake", "golden-db", "runner")
_NAMING = (
    """\
resource "openstack_compute_instance_v2" "{word}-{number}" {{
  name        = "{word}-{number}"   # {word} 서버
  image_id    = "{id}"
  metadata    = {{ family = "이미지", built_from = "{name}" }}
}}

""",
    """\
    {{"mode": "managed", "type": "openstack_compute_instance_v2", "name": "{word}_{number}", "attributes": {{
      "image_id": "{id}", "power_state": "active", "region": "KR1", "all_tags": [],
      "user_data": "{{\\"packages\\": [\\"nginx\\"], \\"image\\": \\"{name}\\"}}\\n", "availability_zone": "a"}}}},
""",
)
_OTHER = (
    "    terraform plan -out {word}.plan && terraform apply {word}.plan  # step {number} of the pipeline, unattended\n"
)
_OTHERS = 90


def main() -> None:
    """Measure, rounds interleaved, and print the ratios."""
    mib, rounds = (int(word) for word in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="janitor-bench-") as folder:
        print(json.dumps(_ratios(Path(folder), mib, rounds)))


def _ratios(folder: Path, mib: int, rounds: int) -> list[float]:
    images = _images()
    _write(folder, images, mib)
    gc.set_threshold(200_000, 50, 100)  # as the janitor sets it
    return [_ratio(folder, images) for _ in range(rounds)]


def _ratio(folder: Path, images: list[Image]) -> float:
    bare = _bare(folder, images)
    began = time.process_time()
    References([Reference("*", f"{folder}/*")]).named(images)
    return (time.process_time() - began) / bare


def _images() -> list[Image]:
    dice = random.Random(9)
    ids = (str(UUID(int=dice.getrandbits(128), version=4)) for _ in range(IMAGES))
    return [
        Image(image_id, f"{_FAMILIES[index % 5]}-{index // 2}", "active", False, False, None, None)
        for index, image_id in enumerate(ids)
    ]


def _write(folder: Path, images: Sequence[Image], mib: int) -> None:
    dice = random.Random(10)
    for number in range(mib):
        text, size = [], 0
        while size < 2**20:
            image, word = dice.choice(images), dice.choice(_FAMILIES)
            for shape in (dice.choice(_NAMING), *[_OTHER] * _OTHERS):
                text.append(shape.format(id=image.id, name=image.name, word=word, number=dice.randrange(10**6)))
                size += len(text[-1])
        (folder / f"{number:04}.txt").write_text("".join(text), encoding="utf-8")


def _bare(folder: Path, images: Sequence[Image]) -> float:
    """Make the matcher, and search each file once, in lower case: no escapes, no bounds, no lines, no usage."""
    began = time.process_time()
    matcher = BytesAhoCorasick({word.encode().lower() for image in images for word in (image.id, image.name or "")})
    for path in sorted(folder.iterdir()):
        matcher.find_matches_as_indexes(path.read_bytes().lower(), overlapping=True)
    return time.process_time() - began


if __name__ == "__main__":
    main()
