// What the arguments of each call are, a letter each, by its number.
// SPDX-License-Identifier: MIT
//
// f descriptor, d folder's descriptor, p path, b bytes, n their size, v iovecs, m msghdr, M mmsghdrs, k small
// count, a socket address, l pointer to its length, L its length, t timespec, T itimerspec, s signals, z size
// of that, y pselect6's mask, S signal, i small number, o some flags, h flags of open, O offset, A page of
// the thread's own, N length of such, P thread or process, c clock, u futex word, U futex operation, e
// epoll_event, q pollfds, E sigevent, x sigaction, K stack_t, D family of sockets, Y type of sockets, G level
// of options, g option, I request of ioctl, F fcntl command, w anything. Calls that are not here get
// anything, too.
#pragma once

static const char signatures[512][7] = {
    [0] = "fbn",      [1] = "fbn",      [2] = "phi",     [3] = "f",       [4] = "pb",       [5] = "fb",
    [6] = "pb",       [7] = "qki",      [8] = "fOi",     [9] = "ANiofO",  [10] = "ANi",     [11] = "AN",
    [12] = "w",       [13] = "Sxbz",    [14] = "isbz",   [16] = "fIb",    [17] = "fbnO",    [18] = "fbnO",
    [19] = "fvk",     [20] = "fvk",     [21] = "pi",     [22] = "b",      [23] = "kbbbt",   [25] = "ANNoA",
    [26] = "ANi",     [27] = "ANb",     [28] = "ANi",    [29] = "ino",    [30] = "iAo",     [31] = "iib",
    [32] = "f",       [33] = "ff",      [35] = "tb",     [36] = "ib",     [37] = "i",       [38] = "iTb",
    [40] = "ffbn",    [41] = "DYi",     [42] = "faL",    [43] = "fbl",    [44] = "fbnoaL",  [45] = "fbnobl",
    [46] = "fmo",     [47] = "fmo",     [48] = "fi",     [49] = "faL",    [50] = "fi",      [51] = "fbl",
    [52] = "fbl",     [53] = "DYib",    [54] = "fGgbL",  [55] = "fGgbl",  [56] = "ow",      [61] = "Pbib",
    [62] = "PS",      [63] = "b",       [64] = "iio",    [65] = "ibk",    [66] = "iiib",    [67] = "A",
    [68] = "io",      [69] = "ibni",    [70] = "ibnii",  [71] = "iib",    [72] = "fFb",     [73] = "fi",
    [74] = "f",       [75] = "f",       [76] = "pO",     [77] = "fO",     [78] = "fbn",     [79] = "bn",
    [80] = "p",       [81] = "f",       [82] = "pp",     [83] = "pi",     [84] = "p",       [85] = "pi",
    [86] = "pp",      [87] = "p",       [88] = "pp",     [89] = "pbn",    [90] = "pi",      [91] = "fi",
    [92] = "pii",     [93] = "fii",     [94] = "pii",    [95] = "i",      [96] = "bb",      [97] = "ib",
    [98] = "ib",      [99] = "b",       [100] = "b",     [103] = "ibn",   [105] = "i",      [106] = "i",
    [109] = "PP",     [113] = "ii",     [114] = "ii",    [115] = "kb",    [116] = "kb",     [117] = "iii",
    [118] = "bbb",    [119] = "iii",    [120] = "bbb",   [121] = "P",     [124] = "P",      [125] = "bb",
    [126] = "bb",     [127] = "bz",     [128] = "sbtz",  [129] = "PSb",   [130] = "sz",     [131] = "Kb",
    [132] = "pt",     [133] = "pii",    [135] = "w",     [137] = "pb",    [138] = "fb",     [140] = "iP",
    [141] = "iPi",    [142] = "Pb",     [143] = "Pb",    [144] = "Pib",   [145] = "P",      [146] = "i",
    [147] = "i",      [148] = "Pb",     [149] = "AN",    [150] = "AN",    [151] = "i",      [157] = "kbwww",
    [158] = "wb",     [159] = "b",      [160] = "ib",    [161] = "p",     [164] = "tb",     [165] = "pppob",
    [166] = "pi",     [170] = "bn",     [171] = "bn",    [187] = "fOn",   [188] = "ppbni",  [189] = "ppbni",
    [190] = "fpbni",  [191] = "ppbn",   [192] = "ppbn",  [193] = "fpbn",  [194] = "pbn",    [195] = "pbn",
    [196] = "fbn",    [197] = "pp",     [198] = "pp",    [199] = "fp",    [200] = "PS",     [201] = "b",
    [202] = "uUitui", [203] = "Pnb",    [204] = "Pnb",   [213] = "i",     [216] = "ANiOo",  [217] = "fbn",
    [218] = "u",      [221] = "fOni",   [222] = "cEb",   [223] = "ioTb",  [224] = "ib",     [225] = "i",
    [226] = "i",      [227] = "ct",     [228] = "cb",    [229] = "cb",    [230] = "citb",   [232] = "fbki",
    [233] = "fife",   [234] = "PPS",    [235] = "pt",    [240] = "phib",  [241] = "p",      [242] = "fbnit",
    [243] = "fbnbt",  [244] = "fE",     [245] = "fbb",   [247] = "iPbib", [254] = "fpo",    [255] = "fi",
    [257] = "dphi",   [258] = "dpi",    [259] = "dpii",  [260] = "dpiio", [261] = "dpt",    [262] = "dpbo",
    [263] = "dpo",    [264] = "dpdp",   [265] = "dpdpo", [266] = "pdp",   [267] = "dpbn",   [268] = "dpi",
    [269] = "dpi",    [270] = "kbbbty", [271] = "qktsz", [273] = "bn",    [274] = "Pbb",    [275] = "fbfbno",
    [276] = "ffno",   [277] = "fOni",   [278] = "fvko",  [280] = "dpto",  [281] = "fbkisz", [282] = "fsz",
    [283] = "co",     [284] = "i",      [285] = "fiOO",  [286] = "fiTb",  [287] = "fb",     [288] = "fblo",
    [289] = "fszo",   [290] = "io",     [291] = "o",     [292] = "ffo",   [293] = "bo",     [294] = "o",
    [295] = "fvkO",   [296] = "fvkO",   [297] = "PPSb",  [299] = "fMkot", [302] = "Pibb",   [305] = "cb",
    [306] = "f",      [307] = "fMko",   [309] = "bbb",   [314] = "Pbi",   [315] = "Pbni",   [316] = "dpdpi",
    [318] = "bni",    [319] = "po",     [324] = "ioi",   [325] = "ANi",   [326] = "fbfbni", [327] = "fvkOOi",
    [328] = "fvkOOi", [329] = "ANii",   [332] = "dpoob", [424] = "fSbi",  [434] = "Pi",     [435] = "bn",
    [436] = "ffi",    [437] = "dpbn",   [439] = "dpio",  [440] = "fvkii", [441] = "fbktsz",
};
