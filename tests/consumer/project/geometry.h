// A library that knows nothing of images.
// SPDX-License-Identifier: MIT
#pragma once

double geometry_diagonal(double width, double height);
