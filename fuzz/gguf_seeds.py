"""Seeds for fuzz_gguf from real files: `python fuzz/gguf_seeds.py FOLDER` writes a small one to fuzz/corpus/gguf for each GGUF file of the
folder (llama.cpp's models/ggml-vocab-*.gguf, which its source has). Arrays keep their first three elements, so that a seed has every key
of the real file and is small; texts are cut."""
import pathlib
import struct
import sys

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
KEPT, TEXT = 3, 160


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize(form)))[0]

    def text(self):
        return self.take(self.number("Q"))


def text(value):
    return struct.pack("<Q", len(value)) + value


def value(reader, kind):
    if kind == 8:
        return text(reader.text()[:TEXT])
    if kind != 9:
        return reader.take(SIZES[kind])
    of, count = reader.number("I"), reader.number("Q")
    elements = [value(reader, of) for _ in range(count)][:KEPT]
    return struct.pack("<IQ", of, len(elements)) + b"".join(elements)


def seed(data):
    reader = Reader(data)
    head = reader.take(8)
    tensors, entries = reader.number("Q"), reader.number("Q")
    rows = []
    for _ in range(entries):
        key, kind = reader.text(), reader.number("I")
        rows.append(text(key) + struct.pack("<I", kind) + value(reader, kind))
    infos = []
    for _ in range(tensors):
        name, dimensions = reader.text(), reader.number("I")
        infos.append(text(name) + struct.pack("<I", dimensions) + reader.take(8 * dimensions + 12))
    infos = infos[:8]
    return head + struct.pack("<QQ", len(infos), len(rows)) + b"".join(rows + infos)


if __name__ == "__main__":
    target = pathlib.Path(__file__).parent / "corpus/gguf"
    for file in sorted(pathlib.Path(sys.argv[1]).glob("*.gguf")):
        made = seed(file.read_bytes())
        (target / file.stem).write_bytes(made)
        print(file.stem, len(made))
