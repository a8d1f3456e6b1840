"""Each check of the doctor's meets its fault on the emulator, with the shop served over HTTP."""
