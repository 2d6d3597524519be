# Adds baremetal_add_image.
