#pragma once
#include <gio/gio.h>

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

/* The socket of a connection to a bus, or -1; the casts are macros, which Swift lacks. */
static inline int cglib_bus_socket(GDBusConnection *bus) {
  GIOStream *stream = g_dbus_connection_get_stream(bus);
  if (!G_IS_SOCKET_CONNECTION(stream)) return -1;
  return g_socket_get_fd(g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream)));
}
