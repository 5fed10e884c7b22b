"""The order of the rows, its position, and its shards."""

import itertools

import pytest
import torch

from mnistlab.data.imageset import ImageSet
from mnistlab.data.loader import EvalLoader, Shard, TrainLoader

SIZES = (4, 5, 7, 8, 9, 12, 13, 16, 17, 31, 33, 64, 65)
"""Around the edges of batches and shards."""


def _numbered(size: int) -> ImageSet:
    """A set whose targets are the numbers of its rows."""
    rows = torch.arange(size)
    return ImageSet((rows % 256).to(torch.uint8).view(-1, 1, 1, 1), {"label": rows})


def _train(
    size: int = 50, batch_size: int = 8, seed: int = 0, *, shuffle: bool = True, shard: Shard | None = None
) -> TrainLoader:
    return TrainLoader(_numbered(size), torch.arange(size), batch_size, seed, shuffle=shuffle, shard=shard)


def _batches(loader: TrainLoader | EvalLoader) -> list[list[int]]:
    return [targets["label"].tolist() for _, targets in loader]


def _epoch(loader: TrainLoader, epoch: int) -> list[list[int]]:
    loader.set_epoch(epoch)
    return _batches(loader)


def _flat(batches: list[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(batches))


@pytest.mark.parametrize("size", SIZES)
def test_an_epoch_reads_every_row_once(size: int) -> None:
    """Whatever the size, no row is left out and none comes twice."""
    for epoch in range(3):
        assert sorted(_flat(_epoch(_train(size), epoch))) == list(range(size))


def test_images_and_targets_stay_together() -> None:
    """An image comes with its own target."""
    for images, targets in _train():
        assert torch.equal(images.flatten().long(), targets["label"])


def test_only_the_rows_of_the_split_are_read() -> None:
    """A loader over some rows of a set reads no other."""
    rows = torch.tensor([3, 5, 7, 11, 13, 17])

    loader = TrainLoader(_numbered(20), rows, 4, 0)

    assert sorted(_flat(_batches(loader))) == rows.tolist()


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    """A second loader, or the same one later, gives the same order for the same epoch."""
    loader = _train()
    first = [_epoch(loader, epoch) for epoch in range(4)]

    assert [_epoch(loader, epoch) for epoch in (3, 1)] == [first[3], first[1]]
    assert _epoch(_train(), 2) == first[2]


@pytest.mark.parametrize("far", [1, 2**16, 2**31, 2**32, 2**33, 2**40])
def test_the_order_differs_between_epochs_and_between_seeds(far: int) -> None:
    """Every bit of a seed counts: torch's own generator would take 32 of them."""
    orders = [_epoch(_train(seed=seed), epoch) for seed in (0, far, far + 1) for epoch in range(5)]

    assert all(a != b for a, b in itertools.combinations(orders, 2))


def test_the_order_is_random() -> None:
    """Over many epochs every row is equally often in the first batch."""
    loader = _train(10, 2)
    counts = torch.zeros(10)
    for epoch in range(2000):
        loader.set_epoch(epoch)
        counts[next(iter(loader))[1]["label"]] += 1

    assert counts.min() > 400 - 5 * 18  # binomial: mean 400, standard deviation 17.9
    assert counts.max() < 400 + 5 * 18


def test_without_shuffling_the_rows_come_as_they_are() -> None:
    """`shuffle=False` reads in the order of the rows in every epoch."""
    assert _flat(_epoch(_train(shuffle=False), 3)) == list(range(50))


def test_the_global_generator_is_left_alone() -> None:
    """Reading data draws no number that dropout would miss."""
    before = torch.get_rng_state()
    _epoch(_train(), 1)
    _batches(EvalLoader(_numbered(50), torch.arange(50), 8))

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("size", "last"), [(16, 8), (17, 9), (18, 2), (9, 9), (8, 8), (3, 3), (1, 1)])
def test_a_last_batch_of_one_is_joined_to_the_one_before(size: int, last: int) -> None:
    """Batch normalization cannot train on one row; two are let be."""
    batches = _batches(_train(size, 8))

    assert len(batches[-1]) == last
    assert all(len(batch) == 8 for batch in batches[:-1])


def test_batches_of_one_are_let_be_where_they_are_asked_for() -> None:
    """With a batch size of one there is nothing to join."""
    assert [len(batch) for batch in _batches(_train(4, 1))] == [1, 1, 1, 1]


@pytest.mark.parametrize("size", SIZES)
def test_the_length_is_the_number_of_batches(size: int) -> None:
    """Lightning relies on it to know the last batch."""
    for batch_size, world_size in itertools.product((1, 2, 8, 100), (1, 2, 3, 4)):
        shard = Shard(world_size - 1, world_size)
        train = _train(size, batch_size, shard=shard)
        evaluation = EvalLoader(_numbered(size), torch.arange(size), batch_size, shard)

        assert len(_batches(train)) == len(train)
        assert len(_batches(evaluation)) == len(evaluation)


@pytest.mark.parametrize("given", range(8))
def test_a_loader_continues_from_any_position(given: int) -> None:
    """The rest of an epoch and all later ones are those of an undisturbed run."""
    undisturbed = _train()
    expected = _epoch(undisturbed, 2)[given:]
    following = _epoch(undisturbed, 3)
    stopped = _train()
    stopped.set_epoch(2)
    list(itertools.islice(stopped, given))

    resumed = _train(seed=9)  # the state knows the seed
    resumed.load_state_dict(stopped.state_dict())
    resumed.set_epoch(2)
    rest = _batches(resumed) if given < 7 else []  # at its end the epoch is not begun again

    assert rest == expected
    assert _epoch(resumed, 3) == following


def test_a_position_within_an_earlier_epoch_is_forgotten() -> None:
    """A new epoch begins at its beginning, wherever the last one was left."""
    loader = _train()
    loader.set_epoch(0)
    list(itertools.islice(loader, 3))

    assert len(_flat(_epoch(loader, 1))) == 50


@pytest.mark.parametrize(("before", "after"), [(8, 4), (4, 8), (8, 16), (8, 100), (8, 5), (8, 1)])
def test_another_batch_size_reads_the_rest_of_the_epoch(before: int, after: int) -> None:
    """After a resume with another batch size every row of the epoch is still read, and none twice."""
    stopped = _train(batch_size=before)
    given = [targets["label"].tolist() for _, targets in itertools.islice(stopped, 2)]

    resumed = _train(batch_size=after)
    resumed.load_state_dict(stopped.state_dict())
    rest = _batches(resumed)

    assert sorted(_flat(given) + _flat(rest)) == list(range(50))
    assert max(map(len, rest)) <= after + 1


@pytest.mark.parametrize("size", SIZES)
def test_training_shards_are_disjoint_and_of_equal_length(size: int) -> None:
    """Processes read different rows in equally many batches; fewer rows are left out than there are processes."""
    for world_size, batch_size in itertools.product((1, 2, 3, 4), (1, 2, 3, 8)):
        shards = [_epoch(_train(size, batch_size, shard=Shard(rank, world_size)), 1) for rank in range(world_size)]
        rows = _flat([_flat(batches) for batches in shards])

        assert len(rows) == len(set(rows)) > size - world_size
        assert len({tuple(map(len, batches)) for batches in shards}) == 1


def test_the_rows_left_out_differ_from_epoch_to_epoch() -> None:
    """No image is lost for the whole run."""
    left_out = set()
    for epoch in range(60):
        read = _flat([_flat(_epoch(_train(7, 2, shard=Shard(rank, 4)), epoch)) for rank in range(4)])
        left_out |= set(range(7)) - set(read)

    assert left_out == set(range(7))


@pytest.mark.parametrize("size", SIZES)
def test_evaluation_reads_every_row_exactly_once(size: int) -> None:
    """All processes together read each row once, in equally many batches of which none is empty."""
    for world_size, batch_size in itertools.product((1, 2, 3, 4), (1, 2, 3, 8, 100)):
        loaders = [
            EvalLoader(_numbered(size), torch.arange(size), batch_size, Shard(rank, world_size))
            for rank in range(world_size)
        ]
        shards = [_batches(loader) for loader in loaders]

        assert sorted(_flat([_flat(batches) for batches in shards])) == list(range(size))
        assert len({len(batches) for batches in shards}) == 1
        assert all(batch for batches in shards for batch in batches)


def test_evaluation_keeps_the_order_and_the_batch_size() -> None:
    """One process reads the rows as they are, no batch larger than asked for."""
    batches = _batches(EvalLoader(_numbered(50), torch.arange(50), 8))

    assert _flat(batches) == list(range(50))
    assert max(map(len, batches)) <= 8


def test_fewer_rows_than_processes_are_refused() -> None:
    """A process without rows would report no number."""
    with pytest.raises(ValueError, match="3 images cannot be shared by 4 processes"):
        _train(3, shard=Shard(0, 4))
    with pytest.raises(ValueError, match="3 images cannot be shared by 4 processes"):
        EvalLoader(_numbered(3), torch.arange(3), 8, Shard(0, 4))
