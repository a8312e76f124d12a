"""
The same work with Pillow: orientation applied, the three boxes, in the image's own format, in memory.

    python3 pillow.py <file> <rounds> usual|best

usual: one full decode, a copy and a thumbnail for each box, as it is written everywhere
best:  the decoder scales a JPEG down while it reads it, and each box is made of the one before
"""
import io
import json
import resource
import sys

from PIL import Image, ImageOps

boxes = [(800, 600), (400, 300), (150, 150)]
file, rounds, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(file, "rb") as opened:
    data = opened.read()


def save(image, kind):
    written = io.BytesIO()
    image.save(written, kind, **({} if kind == "PNG" else {"quality": 85, "optimize": True}))


def usual():
    image = Image.open(io.BytesIO(data))
    kind = image.format
    image = ImageOps.exif_transpose(image)
    for box in boxes:
        copy = image.copy()
        copy.thumbnail(box, Image.LANCZOS)
        save(copy, kind)


def best():
    image = Image.open(io.BytesIO(data))
    kind = image.format
    # Nothing but a JPEG can be scaled while it is read. Turned images keep room.
    image.draft("RGB", (max(boxes[0]), max(boxes[0])))
    image = ImageOps.exif_transpose(image)
    for box in boxes:
        image.thumbnail(box, Image.LANCZOS)
        save(image, kind)


render = {"usual": usual, "best": best}[way]


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


render()
before = cpu_seconds()
for _ in range(rounds):
    render()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"cpuMs": (cpu_seconds() - before) * 1000 / rounds, "peakMb": peak / 1000}))
