"""Which worker has which shard: as evenly as the files allow, and with as few changes of hands as that takes."""

from collections import defaultdict
from collections.abc import Collection, Mapping


def assign(serves: Mapping[str, Collection[int]], held: Mapping[int, str]) -> dict[int, str]:
    """The worker of each shard that any can serve; every worker that asks with the same values gets the same answer.

    `serves` are the workers that live, and the shards that each could have; `held` are those that are leased now. Who
    has a shard keeps it, unless another that could have it would still have fewer.
    """
    given = {shard: worker for shard, worker in held.items() if shard in serves.get(worker, ())}
    has: dict[str, set[int]] = {worker: set() for worker in serves}
    for shard, worker in given.items():
        has[worker].add(shard)
    _give_free(serves, has)
    while _move_one(serves, has):
        pass
    return {shard: worker for worker, shards in has.items() for shard in shards}


def _give_free(serves: Mapping[str, Collection[int]], has: dict[str, set[int]]) -> None:
    """Give each shard that nobody has to whom has the fewest; first those for which there is the least choice."""
    taken = {shard for shards in has.values() for shard in shards}
    candidates = defaultdict[int, list[str]](list)
    for worker, shards in serves.items():
        for shard in set(shards) - taken:
            candidates[shard].append(worker)
    for shard in sorted(candidates, key=lambda shard: (len(candidates[shard]), shard)):
        has[min(candidates[shard], key=lambda worker: (len(has[worker]), worker))].add(shard)


def _move_one(serves: Mapping[str, Collection[int]], has: dict[str, set[int]]) -> bool:
    """Move a shard from a worker to one that then has no more than it; False where none can be moved so."""
    by_load = sorted(has, key=lambda worker: (len(has[worker]), worker))
    for giver in reversed(by_load):
        for taker in by_load:
            if len(has[giver]) - len(has[taker]) < 2:
                break
            if common := has[giver].intersection(serves[taker]):
                moved = max(common)
                has[giver].remove(moved)
                has[taker].add(moved)
                return True
    return False
