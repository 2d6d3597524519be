// A library that knows nothing of images.
// SPDX-License-Identifier: MIT
#include "geometry.h"

#include <math.h>

double geometry_diagonal(double width, double height)
{
    return sqrt(width * width + height * height);
}
