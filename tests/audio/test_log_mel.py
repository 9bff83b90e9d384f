"""Logarithms of mel spectra: where tones land, how they scale, and what is refused."""

import numpy as np
import pytest
from witness import REPAIR

from fastnn.audio import log_mel

RATE = 16000
TIME = np.arange(RATE // 2) / RATE
NOISE = np.random.default_rng(0).normal(size=RATE // 2)


def centers(bands, lowest=20.0, highest=RATE / 2):
    mel = np.linspace(*(2595 * np.log10(1 + np.array([lowest, highest]) / 700)), bands + 2)
    return (700 * (10 ** (mel / 2595) - 1))[1:-1]


@pytest.mark.parametrize("band", [8, 20, 39])
def test_a_tone_lands_in_its_band(band):
    tone = np.sin(2 * np.pi * centers(40)[band] * TIME)
    frames = log_mel(tone, RATE)
    assert frames.shape == (1 + (len(tone) - 400) // 160, 40)
    assert frames.dtype == np.float32
    assert (frames.argmax(axis=1) == band).all()
    assert -1 < frames[:, band].min() <= frames[:, band].max() < 1


def test_it_is_the_definition():
    frames = log_mel(NOISE, RATE, bands=12, window=0.01, hop=0.004)
    piece = NOISE[3 * 64:3 * 64 + 160] * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(160) / 160))
    k = np.arange(160)
    power = np.array([abs((piece * np.exp(-2j * np.pi * f * k / 160)).sum()) ** 2 for f in range(81)]) * 4 / 80.0**2
    corners = np.r_[20.0, centers(12), RATE / 2]
    for band in range(12):
        weight = np.interp(np.arange(81) * 100.0, corners[band:band + 3], [0, 1, 0], left=0, right=0)
        assert frames[3, band] == pytest.approx(np.log(weight @ power + 1e-10), abs=1e-5)


def test_laws():
    frames = log_mel(NOISE, RATE)
    np.testing.assert_allclose(log_mel(4 * NOISE, RATE), frames + np.log(16), atol=1e-4)
    np.testing.assert_array_equal(log_mel(NOISE[160:], RATE), frames[1:])  # a hop later
    long = np.tile(NOISE, 30)
    assert np.array_equal(log_mel(long, RATE)[:len(frames)], frames)
    whole = np.round(NOISE * 1000).astype(np.int16)
    np.testing.assert_array_equal(log_mel(whole, RATE), log_mel(whole / 2.0**15, RATE))
    np.testing.assert_array_equal(log_mel(whole.astype(np.int32) << 16, RATE), log_mel(whole, RATE))
    np.testing.assert_allclose(log_mel(np.zeros(400), RATE), np.log(1e-10), rtol=1e-6)


@pytest.mark.parametrize(("samples", "options", "words"), [
    (np.ones((800, 2)), {}, "one channel"), (np.ones(399), {}, "399 samples, and a frame takes 400"),
    (np.full(800, np.nan), {}, "holds nan"), (np.ones(800, np.uint8), {}, "128"), (["a"], {}, "dtype"),
    (NOISE, {"bands": 200}, "fewer bands"), (NOISE, {"bands": 0}, "bands"), (NOISE, {"hop": 0}, "hop"),
    (NOISE, {"highest": 9000}, "half the rate"), (NOISE, {"lowest": 5000, "highest": 4000}, "above lowest"),
    (NOISE, {"window": -1}, "window"), (NOISE, {"lowest": np.nan}, "lowest"),
])
def test_what_is_wrong_is_refused(samples, options, words):
    with pytest.raises(ValueError, match=words) as caught:
        log_mel(samples, RATE, **options)
    assert REPAIR.search(str(caught.value))


def test_a_wav_file(tmp_path):
    wavfile = pytest.importorskip("scipy.io.wavfile")
    wavfile.write(tmp_path / "noise.wav", RATE, np.round(NOISE * 3000).astype(np.int16))
    rate, samples = wavfile.read(tmp_path / "noise.wav")
    np.testing.assert_array_equal(log_mel(samples, rate), log_mel(np.round(NOISE * 3000) / 2.0**15, RATE))
