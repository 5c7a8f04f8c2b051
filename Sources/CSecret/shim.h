#pragma once
/* secret-paths.h: the calls that take D-Bus paths, exported by every libsecret since 0.18. */
#ifndef SECRET_WITH_UNSTABLE
#define SECRET_WITH_UNSTABLE 1
#endif
#ifndef SECRET_API_SUBJECT_TO_CHANGE
#define SECRET_API_SUBJECT_TO_CHANGE 1
#endif
#include <libsecret/secret.h>

/* g_initable_new(3) is variadic, which Swift does not import. */
static inline SecretService *
csecret_service_new(GType type, GDBusConnection *connection, const gchar *name, gint timeout_ms,
                    GError **error)
{
  return (SecretService *)g_initable_new(
      type, NULL, error, "g-connection", connection, "g-name", name,
      "g-object-path", "/org/freedesktop/secrets", "g-interface-name",
      "org.freedesktop.Secret.Service", "g-flags",
      G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS |
          G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
      "g-default-timeout", timeout_ms, NULL);
}

/* GLib spells these as macros with casts, which Swift does not import. */
static inline GQuark csecret_error_domain(void) { return SECRET_ERROR; }
static inline GQuark csecret_dbus_error_domain(void) { return G_DBUS_ERROR; }
static inline GQuark csecret_io_error_domain(void) { return G_IO_ERROR; }
