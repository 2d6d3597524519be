// Fixed widths in formats: lwIP names them, but nothing that is compiled here prints.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>
