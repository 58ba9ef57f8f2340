import pytest
from topic_samples import encode, make_sample, shuffled


@pytest.fixture
def sample_of():
    return make_sample


@pytest.fixture
def shuffle():
    return shuffled


@pytest.fixture
def encoder():
    return encode
