// SPDX-License-Identifier: MIT
#include "area.h"

#include <math.h>

double area(double radius)
{
    return acos(-1) * pow(radius, 2);
}
