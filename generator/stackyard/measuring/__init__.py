"""What services do on a machine, measured: `stackyard compare --measure`, and `make bench`."""
