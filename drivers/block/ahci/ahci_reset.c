// The life of a port: stopped, its link reset, started (sections 10.1.2, 10.3, 10.4); and so again behind
// errors.
// SPDX-License-Identifier: MIT
#include "ahci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

static const struct {
    uint64_t time;
    const char *late; // NULL: its end is what is waited for
} stages[] = {[PORT_STOPPING] = {500 * AHCI_MILLISECOND, "does not stop"},
              [PORT_RESETTING] = {2 * AHCI_MILLISECOND, NULL},
              [PORT_LINKING] = {1 * AHCI_SECOND, "has gone"},
              [PORT_READYING] = {8 * AHCI_SECOND, "does not come back from its reset"}};

static void stage_set(struct ahci_port *port, enum ahci_stage stage)
{
    if (stage < PORT_LIVE)
        port->stage_end = bm_time_monotonic() + stages[stage].time;
    atomic_store_explicit(&port->stage, (int)stage, memory_order_release);
}

bool bm_ahci_stop(const struct ahci_port *port)
{
    uint64_t end = bm_time_monotonic() + stages[PORT_STOPPING].time;
    port_write(port, PORT_IE, 0);
    port_write(port, PORT_CMD, port_read(port, PORT_CMD) & ~(uint32_t)PORT_CMD_START);
    while (port_read(port, PORT_CMD) & PORT_CMD_RUNS)
        if (bm_time_monotonic() > end)
            return false;
    port_write(port, PORT_CMD, port_read(port, PORT_CMD) & ~(uint32_t)PORT_CMD_FIS);
    while (port_read(port, PORT_CMD) & PORT_CMD_FIS_RUNS)
        if (bm_time_monotonic() > end)
            return false;
    return true;
}

static void end(struct ahci_port *port, const char *why)
{
    if (atomic_load(&port->stage) == PORT_DEAD)
        return;
    bm_log_error(port->ahci->pci->device.name, "port %u %s: it is switched off", port->number, why);
    port->blockdev.removed = true;
    bm_spinlock_acquire(&port->lock);
    stage_set(port, PORT_DEAD);
    bm_spinlock_release(&port->lock);
}

// A port that does not even stop may still write to the memory: the whole controller goes with it.
void bm_ahci_fail(struct ahci_port *port, const char *why)
{
    end(port, why);
    if (bm_ahci_stop(port))
        return;
    bm_pci_disable(port->ahci->pci);
    for (unsigned i = 0; i < port->ahci->port_count; i++)
        end(port->ahci->ports[i], "goes with another port, which does not stop");
}

void bm_ahci_recover(struct ahci_port *port, bool with_reset)
{
    bm_spinlock_acquire(&port->lock);
    port->with_reset = with_reset;
    stage_set(port, PORT_STOPPING);
    bm_spinlock_release(&port->lock);
    atomic_store(&port->reset_wanted, false);
    port_write(port, PORT_CMD, port_read(port, PORT_CMD) & ~(uint32_t)PORT_CMD_START);
}

// Section 10.4.2: the link is off for a millisecond at least.
static void link_reset(struct ahci_port *port)
{
    port_write(port, PORT_CMD, port_read(port, PORT_CMD) | PORT_CMD_FIS);
    port_write(port, PORT_SCTL, PORT_SCTL_RESET);
    stage_set(port, PORT_RESETTING);
}

// Sections 10.3.1 and 5.3.2.3.
static void start(struct ahci_port *port)
{
    port_write(port, PORT_SERR, UINT32_MAX);
    port_write(port, PORT_IS, UINT32_MAX);
    ahci_write(port->ahci, AHCI_IS, 1u << port->number);
    uint32_t command = port_read(port, PORT_CMD) & ~(uint32_t)PORT_CMD_ATAPI;
    if (port_read(port, PORT_SIG) == PORT_SIG_PACKET)
        command |= PORT_CMD_ATAPI;
    port_write(port, PORT_CMD, command | PORT_CMD_FIS | PORT_CMD_START);
    port_write(port, PORT_IE, PORT_IE_ALL);
    bm_ahci_restart(port);
}

static bool stopped(struct ahci_port *port)
{
    uint32_t command = port_read(port, PORT_CMD);
    if (command & PORT_CMD_RUNS && command != UINT32_MAX)
        return false;
    uint32_t busy = port_read(port, PORT_TFD) & (PORT_TFD_BUSY | PORT_TFD_REQUEST);
    if (port->with_reset || busy)
        link_reset(port);
    else
        start(port);
    return true;
}

bool bm_ahci_advance(struct ahci_port *port)
{
    int stage = atomic_load(&port->stage);
    bool late = bm_time_monotonic() > port->stage_end;
    uint32_t link = port_read(port, PORT_SSTS) & PORT_SSTS_DETECTION;
    if (stage >= PORT_LIVE) {
        return false;
    } else if (stage == PORT_STOPPING && stopped(port)) {
        return true;
    } else if (stage == PORT_STOPPING && late) {
        link_reset(port); // which stops it, if anything does (section 10.4.2)
        return true;
    } else if (stage == PORT_RESETTING && late) {
        port_write(port, PORT_SCTL, PORT_SCTL_NONE);
        stage_set(port, PORT_LINKING);
        return true;
    } else if (stage == PORT_LINKING && link == PORT_SSTS_ESTABLISHED) {
        port_write(port, PORT_SERR, UINT32_MAX); // or the first FIS is not taken
        stage_set(port, PORT_READYING);
        return true;
    } else if (stage == PORT_READYING && !(port_read(port, PORT_TFD) & (PORT_TFD_BUSY | PORT_TFD_REQUEST))) {
        start(port);
        return true;
    }
    if (!late || !stages[stage].late)
        return false;
    bm_ahci_fail(port, stages[stage].late);
    return true;
}
