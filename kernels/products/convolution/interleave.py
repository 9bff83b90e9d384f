"""Vectors of pixels from vectors of channels and back: what lies side by side in registers is interleaved by shuffles."""


def interleaved(emitter, builder, streams):
    """Return the vectors of a₀ b₀ … a₁ b₁ … from a vector of each of the streams a, b, …

    An even number of streams is first interleaved in pairs, whose numbers then move together: six streams take 18 shuffles.
    """
    lanes, group, streams = emitter.lanes, 1, [[vector] for vector in streams]
    while len(streams) % 2 == 0 and group < lanes:
        low = [number for i in range(0, lanes // 2, group) for number in
               (*range(i, i + group), *range(lanes + i, lanes + i + group))]
        high = [number + lanes // 2 for number in low]
        streams = [[emitter.shuffle(builder, a, b, order) for a, b in zip(one, other, strict=True) for order in (low, high)]
                   for one, other in zip(streams[::2], streams[1::2], strict=True)]
        group *= 2
    count, wide = len(streams), lanes // group  # wide: groups of a vector
    if count == 1:
        return streams[0]
    found = []
    for k in range(count * len(streams[0])):
        places = [divmod(k * wide + i, count)[::-1] for i in range(wide)]  # (stream, group in it) of each group
        sources = {stream: streams[stream][number // wide] for stream, number in places}
        found.append(gathered(emitter, builder, sources, [(stream, number % wide) for stream, number in places], group))
    return found


def separated(emitter, builder, vectors):
    """Return a vector of each stream from the vectors of a₀ b₀ … a₁ b₁ …, the inverse of `interleaved`."""
    lanes, count, group = emitter.lanes, len(vectors), 1
    while count % 2 == 0 and group < lanes:
        count, group = count // 2, group * 2
    wide = lanes // group
    streams = [vectors]
    if count > 1:
        streams = []
        for stream in range(count):
            streams.append([])
            for k in range(group):
                places = [divmod((k * wide + i) * count + stream, wide) for i in range(wide)]  # (vector, group in it)
                sources = {vector: vectors[vector] for vector, _ in places}
                streams[-1].append(gathered(emitter, builder, sources, places, group))
    while group > 1:
        group //= 2
        even = [number for i in range(0, 2 * lanes, 2 * group) for number in range(i, i + group)]
        odd = [number + group for number in even]
        streams = [[emitter.shuffle(builder, a, b, order) for a, b in zip(stream[::2], stream[1::2], strict=True)]
                   for stream in streams for order in (even, odd)]
    return [stream[0] for stream in streams]


def gathered(emitter, builder, sources, places, group):
    """Return a vector whose groups come from several. sources: {key: vector}; places: the (key, group) of each group."""
    (first, result), *others = sources.items()
    order = [(number if key == first else 0) * group for key, number in places]
    if not others:
        return emitter.shuffle(builder, result, result, [begin + i for begin in order for i in range(group)])
    for key, vector in others:
        order = [emitter.lanes + number * group if of == key else begin
                 for (of, number), begin in zip(places, order, strict=True)]
        result = emitter.shuffle(builder, result, vector, [begin + i for begin in order for i in range(group)])
        order = [*range(0, emitter.lanes, group)]
    return result
