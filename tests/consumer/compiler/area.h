// The library of the Makefile's project.
// SPDX-License-Identifier: MIT
#pragma once

double area(double radius);
