#pragma once
#include <gio/gio.h>

#include "bus-socket.h"

/*
 * GLib 2.88 marks its flags as such (flag_enum), which gives every constant another type in Swift.
 * A function's result has its flags' type with any GLib.
 */

static inline GDBusConnectionFlags cglib_bus_client_flags(void) {
  return G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
         G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;
}

static inline GDBusCallFlags cglib_call_flags_none(void) { return G_DBUS_CALL_FLAGS_NONE; }

static inline GDBusSignalFlags cglib_signal_flags_none(void) { return G_DBUS_SIGNAL_FLAGS_NONE; }

/* GError is another module's type as well, and Swift reads its fields from the one it met first. */
static inline const gchar *cglib_error_message(const GError *error) { return error->message; }

/* For reading a key file. */
static inline GKeyFileFlags cglib_key_file_flags_none(void) { return G_KEY_FILE_NONE; }

/* For changing a key file: what is not understood stays. */
static inline GKeyFileFlags cglib_key_file_flags_keep(void) {
  return G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS;
}
