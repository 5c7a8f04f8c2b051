#pragma once

#include <glib.h>

/*
 * libsecret, loaded when it is first needed: with it come two libraries for encryption, for which every
 * start would wait.
 */

/*
 * Loads the library of that name. Before that has succeeded, none of libsecret's functions may be called.
 *
 * Returns why it cannot be used, or NULL.
 */
const char *csecret_load(const char *soname);

/* The domain of libsecret's errors; 0, which no error has, while it is not loaded. */
GQuark csecret_error_domain(void);
