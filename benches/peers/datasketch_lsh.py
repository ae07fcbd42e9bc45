"""How many articles a second datasketch's MinHash LSH takes: a signature, a query and an insertion each, nothing stored.

Called by the bench `peers` with a file of JSON Lines; prints that number alone. It needs the package datasketch. Words in
runs of three, 128 permutations and a threshold of .5 are what people use it with; a signature is made in one call for all
shingles, which is its fastest way, and lines are read before the clock is.
"""

import json
import sys
import time

from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 128
THRESHOLD = 0.5
SHINGLE = 3


def shingles(text):
    words = text.lower().split()
    runs = range(max(len(words) - SHINGLE + 1, 1))
    return [" ".join(words[at : at + SHINGLE]).encode() for at in runs]


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        articles = [json.loads(line) for line in lines]
    texts = [article.get("text") or article["html"] for article in articles]
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    begun = time.perf_counter()
    for number, text in enumerate(texts):
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch(shingles(text))
        index.query(signature)
        index.insert(number, signature)
    print(len(texts) / (time.perf_counter() - begun))


main()
