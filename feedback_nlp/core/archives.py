"""What reading a zip or gzip archive raises when it is damaged, cut off, encrypted or packed in an unknown way."""

import lzma
import zipfile
import zlib

# An encrypted entry raises RuntimeError, an unknown way of packing NotImplementedError, which is one.
BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
