#pragma once
/* secret-paths.h: the calls that take D-Bus paths, exported by every libsecret since 0.18. */
#ifndef SECRET_WITH_UNSTABLE
#define SECRET_WITH_UNSTABLE 1
#endif
#ifndef SECRET_API_SUBJECT_TO_CHANGE
#define SECRET_API_SUBJECT_TO_CHANGE 1
#endif
#include <libsecret/secret.h>

#include "../CGLib/bus-socket.h"

/* GLib spells these as macros with casts, which Swift does not import. */
static inline GQuark csecret_dbus_error_domain(void) { return G_DBUS_ERROR; }
static inline GQuark csecret_io_error_domain(void) { return G_IO_ERROR; }

/*
 * Constants behind functions: GLib 2.88 marks its flags as such, and Swift then imports them as
 * another type than before.
 */
static inline void
csecret_log_ignore(const gchar *domain, GLogFunc handler)
{
  g_log_set_handler(domain, G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, handler,
                    NULL);
}

/* A stream over a socket, which is the stream's from now on; NULL for what is none. */
static inline GIOStream *
csecret_stream(int descriptor)
{
  GSocket *socket = g_socket_new_from_fd(descriptor, NULL);
  if (!socket)
    return NULL;
  GSocketConnection *stream = g_socket_connection_factory_create_connection(socket);
  g_object_unref(socket);
  return G_IO_STREAM(stream);
}

/* Greets a bus over a stream that is authenticated; g_dbus_connection_new_finish ends it. */
static inline void
csecret_bus_greet(GIOStream *stream, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer data)
{
  g_dbus_connection_new(stream, NULL, G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
                        cancellable, callback, data);
}

static inline void
csecret_bus_get(GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_bus_get(G_BUS_TYPE_SESSION, cancellable, callback, data);
}

/*
 * Opens the service that owns a unique bus name, for a subtype of libsecret's class whose constructor
 * is the one below.
 */
static inline void
csecret_open(GType type, GDBusConnection *bus, const gchar *owner, GCancellable *cancellable,
             GAsyncReadyCallback callback, gpointer data)
{
  g_async_initable_new_async(type, G_PRIORITY_DEFAULT, cancellable, callback, data, "g-connection",
                             bus, "g-name", owner, NULL);
}

/*
 * libsecret's constructor makes the object stand for whoever owns the well-known name on GLib's own
 * connection to the bus, and watch it: that takes seven calls, and three more at the end. This one goes
 * back to the name and the connection that were given, and watches nothing.
 */
static inline GObject *
csecret_construct(GType type, guint count, GObjectConstructParam *given)
{
  const gchar *owner = NULL;
  for (guint i = 0; i < count; i++)
    if (g_str_equal(given[i].pspec->name, "g-name"))
      owner = g_value_get_string(given[i].value);
  GObjectClass *parent = G_OBJECT_CLASS(g_type_class_peek(secret_service_get_type()));
  GObject *object = parent->constructor(type, count, given);
  g_object_set(object, "g-bus-type", G_BUS_TYPE_NONE, "g-name", owner, "g-flags",
               G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
                   G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS |
                   G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
               NULL);
  return object;
}

/* Attributes as an argument, a floating `a{ss}`. */
static inline GVariant *
csecret_attributes(GHashTable *attributes)
{
  GVariantBuilder pairs;
  g_variant_builder_init(&pairs, G_VARIANT_TYPE("a{ss}"));
  GHashTableIter next;
  gpointer name, text;
  g_hash_table_iter_init(&next, attributes);
  while (g_hash_table_iter_next(&next, &name, &text))
    g_variant_builder_add(&pairs, "{ss}", (const gchar *)name, (const gchar *)text);
  return g_variant_builder_end(&pairs);
}

/* Makes an item in the collection with this path. */
static inline void
csecret_create_item(SecretService *service, const gchar *collection, GHashTable *attributes,
                    const gchar *label, SecretValue *value, GCancellable *cancellable,
                    GAsyncReadyCallback callback, gpointer data)
{
  GHashTable *properties =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
  g_hash_table_insert(properties, (gpointer) "org.freedesktop.Secret.Item.Label",
                      g_variant_ref_sink(g_variant_new_string(label)));
  g_hash_table_insert(properties, (gpointer) "org.freedesktop.Secret.Item.Attributes",
                      g_variant_ref_sink(csecret_attributes(attributes)));
  secret_service_create_item_dbus_path(service, collection, properties, value,
                                       SECRET_ITEM_CREATE_NONE, cancellable, callback, data);
  g_hash_table_unref(properties);
}

/* Calls a method that libsecret has no call for, or only one that watches the object; starts nothing. */
static inline void
csecret_call(GDBusConnection *bus, const gchar *name, const gchar *path, const gchar *interface,
             const gchar *method, GVariant *arguments, const gchar *reply,
             GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_dbus_connection_call(bus, name, path, interface, method, arguments, G_VARIANT_TYPE(reply),
                         G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, cancellable, callback, data);
}

/* A subtype of a class that adds nothing to it but what `initialize` sets in its class. */
static inline GType
csecret_subtype(GType parent, const gchar *name, GClassInitFunc initialize)
{
  GTypeQuery query;
  g_type_query(parent, &query);
  return g_type_register_static_simple(parent, name, query.class_size, initialize,
                                       query.instance_size, NULL, (GTypeFlags)0);
}

static inline gulong
csecret_connect_signal(gpointer instance, const gchar *signal,
                       void (*handler)(GDBusProxy *, gchar *, gchar *, GVariant *, gpointer),
                       gpointer data)
{
  return g_signal_connect_data(instance, signal, G_CALLBACK(handler), data, NULL,
                               (GConnectFlags)0);
}
