"""A tree of files that people made, not a test: it goes to the source by rclone, from there by `transload sync`, and rclone
compares every byte with the files.

Run by `./check checkers` on some thousand files of cargo's registry. TREE=FOLDER takes all of another folder."""

import os
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from support import REPOSITORY, Served

# Enough for several pages and batches; a whole registry has tens of thousands.
FILES = 4_000


def registry():
    """What cargo unpacked to build this very repository; where it keeps that elsewhere, some of the repository's own files."""
    folder = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo") / "registry" / "src"
    return folder if folder.is_dir() else REPOSITORY / "functions"


def files(folder):
    """Regular files below it, in order, as paths beneath it: links are what rclone passes over."""
    found = (Path(at, name) for at, folders, names in os.walk(folder) for name in names if not folders.sort())
    return [path.relative_to(folder) for path in found if path.is_file() and not path.is_symlink()]


def sample(folder, into):
    """Copies neighbouring files, about as many as FILES, and gives how many."""
    chosen = files(folder)[:FILES]
    for path in chosen:
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / path, into / path)
    return into


class WhenARealTreeIsMoved(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(home.cleanup)
        chosen = os.environ.get("TREE")
        cls.tree = Path(chosen) if chosen else sample(registry(), Path(home.name, "tree"))
        cls.files = files(cls.tree)
        cls.served = Served(os.path.join(home.name, "home"))
        cls.addClassCleanup(cls.served.end)
        cls.served.create_bucket("source", "tree")
        cls.served.create_bucket("destination", "tree-cn")
        put = cls.served.rclone("copy", str(cls.tree), "source:tree", "--transfers", "16", "--checkers", "16", "--no-traverse")
        assert put.returncode == 0, put.stderr
        print(f"\n{len(cls.files)} files of {cls.tree}", flush=True)
        cls.first = cls.served.sync("tree", "tree-cn")

    def test_then_every_file_is_accounted_for_and_rclone_finds_no_difference(self):
        self.assertEqual(self.first["listed"]["objects"], len(self.files))
        self.assertEqual(self.first["copied"]["objects"], len(self.files))
        self.assertEqual(self.first["copied"]["bytes"], sum((self.tree / path).stat().st_size for path in self.files))
        found = self.served.rclone("check", "--download", str(self.tree), "destination:tree-cn", "--checkers", "16")
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn(f"{len(self.files)} matching files", found.stderr)

    def test_then_only_what_changed_since_is_moved(self):
        source = self.served.s3("source")
        changed = random.Random(1).sample(self.files, 25)
        for path in changed[:20]:
            source.put_object(Bucket="tree", Key=str(path), Body=(self.tree / path).read_bytes() + b"\n")
        for number in range(5):
            source.put_object(Bucket="tree", Key=f"{changed[20 + number]}.new", Body=b"new")
        counts = self.served.sync("tree", "tree-cn")
        self.assertEqual(counts["copied"]["objects"], 25)
        self.assertEqual(counts["present"]["objects"], len(self.files) - 20)
        found = self.served.rclone("check", "--download", "source:tree", "destination:tree-cn", "--checkers", "16")
        self.assertEqual(found.returncode, 0, found.stderr)


if __name__ == "__main__":
    unittest.main()
