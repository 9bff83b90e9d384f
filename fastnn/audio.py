"""Features of sound: the logarithms of a mel spectrum, frame by frame, for networks over sequences."""

import math

import numpy as np

from .checks import number_in_range, whole_number
from .samples.arrays import any_array, check_finite

__all__ = ["log_mel"]

BLOCK = 1024  # frames transformed at once


def __dir__():
    return __all__


def log_mel(samples, rate, *, bands=40, window=0.025, hop=0.01, lowest=20.0, highest=None):
    """Return the logarithms of a recording's power in bands of the mel scale, a frame every `hop` seconds.

    A frame is `window` seconds long, weighted by a periodic Hann window; only whole frames count. The bands are triangles,
    evenly spaced on the mel scale, 2595 log₁₀(1 + f / 700), with a peak of 1; each begins at the peak of the one before. The
    result is ln(power + 1e-10), where a sine wave of amplitude 1 has a power of about 1.

    Parameters
    ----------
    samples : array (samples,)
        One channel. Integers of 16 bits are divided by 2¹⁵, those of 32 bits by 2³¹; floats are taken as they are.
        `scipy.io.wavfile.read(path)` reads a WAV file: rate, samples.
    rate : int
        Samples a second.
    bands : int, default 40
    window, hop : float
        In seconds.
    lowest, highest : float
        The frequencies in Hz between which the bands lie. Default: from 20 to half the rate.

    Returns
    -------
    frames : (frames, bands) float32

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.audio import log_mel
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> frames = log_mel(tone, 8000, bands=20)
    >>> frames.shape, int(frames[0].argmax())
    ((98, 20), 4)
    """
    rate, bands = whole_number("rate", rate), whole_number("bands", bands)
    size = seconds("window", window, rate)
    step = seconds("hop", hop, rate)
    filters = mel_filters(rate, size, bands, lowest, rate / 2 if highest is None else highest)
    frames = np.lib.stride_tricks.sliding_window_view(one_channel(samples, size), size)[::step]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    found = np.empty((len(frames), bands), np.float32)
    for first in range(0, len(frames), BLOCK):
        spectrum = np.fft.rfft(frames[first:first + BLOCK] * hann, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2) * (4 / hann.sum()**2)
        found[first:first + BLOCK] = np.log(power @ filters + 1e-10)
    return found


def one_channel(samples, size):
    """Return samples as float64 (samples,), at least `size` of them."""
    samples = any_array("samples", samples)
    if samples.ndim != 1:
        raise ValueError(f"samples has shape {samples.shape}; it must be one channel (samples,), as samples[:, 0] is "
                         "one of several")
    if samples.dtype.kind == "i" and samples.dtype.itemsize in (2, 4):
        return checked_length(samples / 2.0 ** (8 * samples.dtype.itemsize - 1), size)
    if samples.dtype.kind != "f":
        raise ValueError(f"samples has dtype {samples.dtype}; it must be float, or int16 or int32 as WAV files have them: "
                         "for 8 bits give (samples - 128.0) / 128")
    check_finite("samples", samples)
    return checked_length(samples.astype(np.float64), size)


def checked_length(samples, size):
    if len(samples) < size:
        raise ValueError(f"samples has {len(samples)} samples, and a frame takes {size}; give a longer recording, or a "
                         "shorter window")
    return samples


def seconds(name, value, rate):
    """Return so many seconds as a number of samples."""
    count = round(number_in_range(name, value, 0.0) * rate)
    if count < 1:
        raise ValueError(f"{name} is {value!r}; it must be in seconds, and at least one sample, 1 / rate")
    return count


def mel_filters(rate, size, bands, lowest, highest):
    """Return the weight of each frequency of a frame's spectrum in each band, (size // 2 + 1, bands)."""
    lowest, highest = number_in_range("lowest", lowest, 0.0), number_in_range("highest", highest, 0.0)
    if not lowest < highest <= rate / 2:
        raise ValueError(f"the bands lie from {lowest:g} to {highest:g} Hz; highest must be above lowest, and at most half "
                         f"the rate, {rate / 2:g}")
    ends = (2595 * math.log10(1 + each / 700) for each in (lowest, highest))
    corners = 700 * (10 ** (np.linspace(*ends, bands + 2) / 2595) - 1)
    frequencies = np.arange(size // 2 + 1)[:, None] * (rate / size)
    rising = (frequencies - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - frequencies) / (corners[2:] - corners[1:-1])
    filters = np.maximum(np.minimum(rising, falling), 0)
    if (empty := np.flatnonzero(filters.max(axis=0) == 0)).size:
        raise ValueError(f"bands is {bands}, and no frequency of a frame of {size} samples lies in band {empty[0]}; use "
                         "fewer bands, a longer window or a higher lowest frequency")
    return filters
