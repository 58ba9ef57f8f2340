"""What reading a zip or gzip archive raises when it is damaged, cut off, encrypted or packed in an unknown way.

To be caught around the reading alone: the general errors among them would hide other faults.
"""

import lzma
import zipfile
import zlib

# The general ones: gzip's BadGzipFile is an OSError; zipfile raises RuntimeError for an encrypted entry, and a subclass
# of it for an unknown way of packing.
BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
