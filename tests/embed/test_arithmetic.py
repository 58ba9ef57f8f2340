import pytest

from feedback_nlp.embed.arithmetic import fast_autocast, fast_dtype

torch = pytest.importorskip("torch")


@pytest.fixture(
    params=[{"avx512_bf16": True}, {"avx512_bf16": False, "amx_bf16": True}, {"bf16": True}, {"avx2": True}, {}]
)
def able(request, monkeypatch):
    """What a processor is able to."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: request.param)
    fast_dtype.cache_clear()
    yield request.param
    fast_dtype.cache_clear()


def test_bf16_is_taken_where_there_are_instructions_for_it(able):
    expected = torch.bfloat16 if able.keys() & {"avx512_bf16", "bf16"} else torch.float32
    assert fast_dtype() == expected
    with fast_autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


def test_the_choice_is_the_faster_one():
    import time

    def seconds(dtype):
        left, right = torch.ones(512, 384, dtype=dtype), torch.ones(384, 384, dtype=dtype)
        left @ right
        began = time.process_time()
        for _ in range(5):
            left @ right
        return time.process_time() - began

    other = ({torch.bfloat16, torch.float32} - {fast_dtype()}).pop()
    assert min(seconds(fast_dtype()) for _ in range(3)) < 1.2 * min(seconds(other) for _ in range(3))
