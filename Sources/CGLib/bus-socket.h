#pragma once
#include <gio/gio.h>

/* The socket of a connection to a bus, or -1; the casts are macros, which Swift lacks. */
static inline int gdbus_socket(GDBusConnection *bus) {
  GIOStream *stream = g_dbus_connection_get_stream(bus);
  if (!G_IS_SOCKET_CONNECTION(stream)) return -1;
  return g_socket_get_fd(g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream)));
}
