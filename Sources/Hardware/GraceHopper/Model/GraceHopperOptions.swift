// Options of the virtual GPU.
