// tzset, localtime_r and mktime: local time, as the environment's TZ says.
// SPDX-License-Identifier: MIT
//
// TZ is the name of an embedded file below /usr/share/zoneinfo, or a rule in POSIX's form. The C libraries'
// strftime finds offsets and names where their own tzset would put them; there they are those of the last
// time that was asked for.
#include "calendar.h"
#include "libc.h"
#include "zone.h"

#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/_tz_structs.h>

enum { VALUE_MAX = 128, SEARCH_DAYS = 200 };

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static struct bm_zone zone;
static char value[VALUE_MAX]; // of TZ, that the zone is of
static bool known;
static char shown[2][BM_ZONE_NAME_MAX]; // what tzname points at

long timezone;
int daylight;

void _tzset_unlocked(void); // what the C libraries' strftime calls

static void show(struct bm_zone_type type)
{
    strncpy(shown[type.summer], type.name, BM_ZONE_NAME_MAX - 1);
    tzname[type.summer] = shown[type.summer];
    __gettzinfo()->__tzrule[type.summer].offset = -type.offset;
}

static void set_utc(const char *name)
{
    zone = (struct bm_zone){.has_rules = true};
    strcpy(zone.normal_name, name);
    zone.normal.name = zone.normal_name;
}

static bool load_file(const char *name)
{
    static const char folder[] = "/usr/share/zoneinfo/";
    char path[PATH_MAX], resolved[PATH_MAX];
    if (strlen(name) + sizeof folder > PATH_MAX)
        return false;
    strcpy(path, *name == '/' ? "" : folder);
    strcat(path, name);
    if (bm_path_resolve(path, resolved) != 0)
        return false;
    const struct bm_embedded_file *file = bm_embedded_file_find(resolved);
    zone = (struct bm_zone){0};
    return file && bm_zone_load(&zone, file->data, file->size);
}

// Whether the value of TZ means something.
static bool set_zone(const char *text)
{
    if (!text) {
        set_utc("GMT");
        return true;
    }
    const char *name = *text == ':' ? text + 1 : text;
    if (load_file(name))
        return true;
    zone = (struct bm_zone){0};
    if (name == text && bm_zone_parse(&zone, text, strlen(text)))
        return true;
    set_utc("UTC");
    return !*name || strcmp(name, "UTC") == 0 || strcmp(name, "GMT") == 0;
}

// What the variables of POSIX tell: the zone as it is now and half a year later.
static void set_variables(void)
{
    const long long now = zone.transition_count && !zone.has_rules ? LLONG_MAX : 1750000000;
    struct bm_zone_type normal = zone.has_rules ? zone.normal : bm_zone_at(&zone, now);
    const struct bm_zone_type summer = zone.has_rules && zone.summer.name ? zone.summer : normal;
    normal.summer = false;
    show(normal);
    show((struct bm_zone_type){summer.offset, true, summer.name});
    timezone = _timezone = -normal.offset;
    daylight = _daylight = zone.has_rules && zone.summer.name;
}

// With the lock held. Returns whether TZ has changed to what means nothing.
static bool update(void)
{
    const char *text = getenv("TZ");
    if (known && strncmp(text ? text : "", value, VALUE_MAX - 1) == 0 && !text == !*value)
        return false;
    const bool understood = set_zone(text);
    value[0] = 0;
    strncat(value, text ? text : "", VALUE_MAX - 1);
    known = !text || *text;
    set_variables();
    return !understood;
}

static void acquire(void)
{
    bm_spinlock_acquire(&lock);
    if (!update())
        return;
    bm_spinlock_release(&lock);
    bm_log_warn("time",
                "TZ=%s is no rule such as CET-1CEST,M3.5.0,M10.5.0/3, and there is no file "
                "/usr/share/zoneinfo/%s in the image (baremetal_add_files(… PREFIX)): local time is UTC",
                value, value);
    bm_spinlock_acquire(&lock);
}

void _tzset_unlocked(void)
{
    acquire();
    bm_spinlock_release(&lock);
}

void tzset(void)
{
    _tzset_unlocked();
}

struct tm *localtime_r(const time_t *restrict moment, struct tm *restrict result)
{
    acquire();
    const struct bm_zone_type type = bm_zone_at(&zone, *moment);
    show(type);
    bm_spinlock_release(&lock);
    time_t local;
    if (__builtin_add_overflow(*moment, type.offset, &local) || !gmtime_r(&local, result)) {
        errno = EOVERFLOW;
        return NULL;
    }
    result->tm_isdst = type.summer;
    return result;
}

// The type near a local time that has summer time or not, as wanted; the one in force when there is none.
static struct bm_zone_type wanted_type(long long local, int summer)
{
    static const short days[] = {0, -1, 1, -SEARCH_DAYS, SEARCH_DAYS};
    const struct bm_zone_type here = bm_zone_at(&zone, local - zone.normal.offset);
    for (unsigned i = 0; summer >= 0 && i < sizeof days / sizeof *days; i++) {
        const struct bm_zone_type type = bm_zone_at(&zone, local + 86400LL * days[i]);
        if (type.summer == (summer > 0))
            return type;
    }
    return here;
}

// The moment of a local time. Clocks that are put back show it twice, and those that are put forward never:
// then what tm_isdst says counts, or else the time before they were moved.
static long long to_moment(long long local, int summer)
{
    const struct bm_zone_type before = bm_zone_at(&zone, local - 86400),
                              after = bm_zone_at(&zone, local + 86400);
    const bool early = bm_zone_at(&zone, local - before.offset).offset == before.offset;
    const bool late = bm_zone_at(&zone, local - after.offset).offset == after.offset;
    if (early && (summer < 0 || before.summer == (summer > 0)))
        return local - before.offset;
    if (late && (summer < 0 || after.summer == (summer > 0)))
        return local - after.offset;
    if (summer >= 0)
        return local - wanted_type(local, summer).offset;
    return local - before.offset;
}

time_t mktime(struct tm *time)
{
    acquire();
    const time_t moment = (time_t)to_moment(bm_calendar_seconds(time), time->tm_isdst);
    bm_spinlock_release(&lock);
    return localtime_r(&moment, time) ? moment : -1;
}
