// ACPI parsing over bytes in memory. Firmware wrote them, so every length is checked before use.
// SPDX-License-Identifier: MIT
#include "acpi_tables.h"

static uint32_t bm_acpi_read32(const void *table, size_t offset)
{
    uint32_t value;
    __builtin_memcpy(&value, (const uint8_t *)table + offset,
                     sizeof value); // inlined: a load from any address
    return value;
}

static uint64_t bm_acpi_read64(const void *table, size_t offset)
{
    uint64_t value;
    __builtin_memcpy(&value, (const uint8_t *)table + offset,
                     sizeof value); // inlined: a load from any address
    return value;
}

uint8_t bm_acpi_sum(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;
    for (; size >= 4; size -= 4, bytes += 4) // the table of a machine with many cores is long
        sum += bytes[0] + bytes[1] + bytes[2] + bytes[3];
    while (size--)
        sum += *bytes++;
    return sum;
}

bool bm_acpi_rsdp_parse(const uint8_t *bytes, size_t size, struct bm_acpi_root *root)
{
    if (size < 20 || !bm_acpi_is(bytes, "RSD ") || !bm_acpi_is(bytes + 4, "PTR ") || bm_acpi_sum(bytes, 20))
        return false;
    root->address = bm_acpi_read32(bytes, 16);
    root->wide = false;
    // From revision 2 on the structure is longer, has a second checksum and names the XSDT, which then is to
    // be used.
    if (bytes[15] >= 2 && size >= BM_ACPI_RSDP_SIZE && !bm_acpi_sum(bytes, BM_ACPI_RSDP_SIZE)) {
        uint64_t xsdt = bm_acpi_read64(bytes, 24);
        if (xsdt) {
            root->address = xsdt;
            root->wide = true;
        }
    }
    return root->address != 0;
}

bool bm_acpi_rsdp_search(const uint8_t *memory, size_t size, struct bm_acpi_root *root)
{
    for (size_t offset = 0; offset + 20 <= size; offset += 16)
        if (bm_acpi_rsdp_parse(memory + offset, size - offset, root))
            return true;
    return false;
}

bool bm_acpi_table_check(const struct bm_acpi_header *table, size_t size)
{
    return size >= sizeof *table && table->length >= sizeof *table && table->length <= size &&
           table->length <= BM_ACPI_TABLE_MAX && !bm_acpi_sum((const uint8_t *)table, table->length);
}

unsigned bm_acpi_root_count(const struct bm_acpi_header *root, bool wide)
{
    return (root->length - sizeof *root) / (wide ? 8 : 4);
}

uint64_t bm_acpi_root_entry(const struct bm_acpi_header *root, bool wide, unsigned index)
{
    return wide ? bm_acpi_read64(root, sizeof *root + 8 * (size_t)index)
                : bm_acpi_read32(root, sizeof *root + 4 * (size_t)index);
}

// A register block's port: from the generic address at `extended` (section 5.2.3.2) when the table has it and
// it is an I/O port, else from the old field at `offset`.
static uint16_t bm_acpi_port(const struct bm_acpi_header *table, size_t offset, size_t extended)
{
    enum { SPACE_IO = 1 };
    if (table->length >= extended + 12 && ((const uint8_t *)table)[extended] == SPACE_IO) {
        uint64_t port = bm_acpi_read64(table, extended + 4);
        if (port && port <= 0xffff)
            return (uint16_t)port;
    }
    uint32_t port = bm_acpi_read32(table, offset);
    return port <= 0xffff ? (uint16_t)port : 0;
}

bool bm_acpi_fadt_parse(const struct bm_acpi_header *table, struct bm_acpi_fadt *fadt)
{
    enum {
        ACPI_1_LENGTH = 116,
        DSDT = 40,
        SMI_COMMAND = 48,
        ACPI_ENABLE = 52,
        FLAGS = 112,
        X_DSDT = 140,
        SLEEP_CONTROL = 244
    };
    enum { FLAG_TIMER_32 = 1 << 8, FLAG_HARDWARE_REDUCED = 1 << 20 };
    if (table->length < ACPI_1_LENGTH)
        return false;
    fadt->dsdt = table->length >= X_DSDT + 8 ? bm_acpi_read64(table, X_DSDT) : 0;
    if (!fadt->dsdt)
        fadt->dsdt = bm_acpi_read32(table, DSDT);
    fadt->pm1a_control = bm_acpi_port(table, 64, 172);
    fadt->pm1b_control = bm_acpi_port(table, 68, 184);
    fadt->pm_timer = bm_acpi_port(table, 76, 208);
    fadt->pm_timer_bits = bm_acpi_read32(table, FLAGS) & FLAG_TIMER_32 ? 32 : 24;
    fadt->sleep_address = 0;
    if (table->length >= SLEEP_CONTROL + 12) {
        fadt->sleep_space = ((const uint8_t *)table)[SLEEP_CONTROL];
        fadt->sleep_address = bm_acpi_read64(table, SLEEP_CONTROL + 4);
    }
    fadt->hardware_reduced = bm_acpi_read32(table, FLAGS) & FLAG_HARDWARE_REDUCED;
    return true;
}

bool bm_acpi_aml_integer(const uint8_t **aml, const uint8_t *end, uint16_t *value)
{
    enum { ZERO = 0x00, ONE = 0x01, BYTE = 0x0a, WORD = 0x0b, DWORD = 0x0c, ONES = 0xff };
    const uint8_t *p = *aml;
    if (p >= end)
        return false;
    unsigned operation = *p++;
    unsigned size = operation == BYTE ? 1 : operation == WORD ? 2 : operation == DWORD ? 4 : 0;
    if (size == 0 && operation != ZERO && operation != ONE && operation != ONES)
        return false;
    if ((size_t)(end - p) < size)
        return false;
    *value = size ? *p : operation; // SLP_TYP has three bits: the lowest byte holds it
    *aml = p + size;
    return true;
}

bool bm_acpi_package_length(const uint8_t **aml, const uint8_t *end, const uint8_t **package_end)
{
    const uint8_t *p = *aml;
    if (p >= end)
        return false;
    // The two highest bits say how many bytes follow the first; the length counts itself.
    unsigned more = *p >> 6;
    size_t length = more ? *p & 0x0f : *p & 0x3f;
    if ((size_t)(end - p) <= more)
        return false;
    for (unsigned i = 0; i < more; i++)
        length |= (size_t)p[1 + i] << (4 + 8 * i);
    if (length > (size_t)(end - p) || length < more + 1)
        return false;
    *aml = p + more + 1;
    *package_end = p + length;
    return true;
}

// Reads the package that starts at `p`: PackageOp PkgLength NumElements Element… (section 20.2.5.4).
static bool bm_acpi_s5_package(const uint8_t *p, const uint8_t *end, struct bm_acpi_sleep *sleep)
{
    enum { PACKAGE = 0x12 };
    if (end - p < 4 || *p++ != PACKAGE)
        return false;
    if (!bm_acpi_package_length(&p, end, &end) || p == end)
        return false;
    unsigned elements = *p++;
    uint16_t a, b = 0;
    if (elements < 1 || !bm_acpi_aml_integer(&p, end, &a))
        return false;
    if (elements >= 2 && !bm_acpi_aml_integer(&p, end, &b))
        return false;
    sleep->type_a = a & 7;
    sleep->type_b = b & 7;
    return true;
}

bool bm_acpi_s5_parse(const uint8_t *aml, size_t size, struct bm_acpi_sleep *sleep)
{
    enum { NAME = 0x08 };
    for (size_t i = 1; i + 8 <= size; i++) {
        if (aml[i] != '_' || !bm_acpi_is(aml + i, "_S5_"))
            continue;
        // NameOp stands before the name, or before the root character that may precede it.
        bool named = aml[i - 1] == NAME || (i >= 2 && aml[i - 1] == '\\' && aml[i - 2] == NAME);
        if (named && bm_acpi_s5_package(aml + i + 4, aml + size, sleep))
            return true;
    }
    return false;
}

void bm_acpi_madt_parse(const struct bm_acpi_header *table, void (*each)(const uint8_t *, unsigned, void *),
                        void *arg)
{
    enum { FIRST_ENTRY = 44 };
    const uint8_t *p = (const uint8_t *)table + FIRST_ENTRY;
    size_t left = table->length > FIRST_ENTRY ? table->length - FIRST_ENTRY : 0;
    while (left >= 2 && p[1] >= 2 && p[1] <= left) {
        each(p, p[1], arg);
        left -= p[1];
        p += p[1];
    }
}
