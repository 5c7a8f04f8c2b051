#include "CSecretLoader.h"

#include <CDlopenNote.h>
#include <dlfcn.h>
#include <stdio.h>

#define SECRET_WITH_UNSTABLE 1
#define SECRET_API_SUBJECT_TO_CHANGE 1
#include <libsecret/secret.h>

CLINUX_DLOPEN_NOTE("keyring", "Keeps tokens in the desktop's keyring", "required",
                   "libsecret-1.so.0");

/* What is used of libsecret: name, type of the result, parameters, arguments. */
#define CSECRET_FUNCTIONS(FUNCTION)                                                                \
  FUNCTION(secret_error_get_quark, GQuark, (void), ())                                             \
  FUNCTION(secret_prompt_perform, void,                                                            \
           (SecretPrompt * self, const gchar *window, const GVariantType *type,                    \
            GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data),               \
           (self, window, type, cancellable, callback, data))                                      \
  FUNCTION(secret_prompt_perform_finish, GVariant *,                                               \
           (SecretPrompt * self, GAsyncResult * result, GError * *error), (self, result, error))   \
  FUNCTION(secret_service_create_item_dbus_path, void,                                             \
           (SecretService * self, const gchar *collection, GHashTable *properties,                 \
            SecretValue *value, SecretItemCreateFlags flags, GCancellable *cancellable,            \
            GAsyncReadyCallback callback, gpointer data),                                          \
           (self, collection, properties, value, flags, cancellable, callback, data))              \
  FUNCTION(secret_service_create_item_dbus_path_finish, gchar *,                                   \
           (SecretService * self, GAsyncResult * result, GError * *error), (self, result, error))  \
  FUNCTION(secret_service_decode_dbus_secret, SecretValue *,                                       \
           (SecretService * self, GVariant * value), (self, value))                                \
  FUNCTION(secret_service_encode_dbus_secret, GVariant *,                                          \
           (SecretService * self, SecretValue * value), (self, value))                             \
  FUNCTION(secret_service_ensure_session, void,                                                    \
           (SecretService * self, GCancellable * cancellable, GAsyncReadyCallback callback,        \
            gpointer data),                                                                        \
           (self, cancellable, callback, data))                                                    \
  FUNCTION(secret_service_ensure_session_finish, gboolean,                                         \
           (SecretService * self, GAsyncResult * result, GError * *error), (self, result, error))  \
  FUNCTION(secret_service_get_secrets_for_dbus_paths, void,                                        \
           (SecretService * self, const gchar **paths, GCancellable *cancellable,                  \
            GAsyncReadyCallback callback, gpointer data),                                          \
           (self, paths, cancellable, callback, data))                                             \
  FUNCTION(secret_service_get_secrets_for_dbus_paths_finish, GHashTable *,                         \
           (SecretService * self, GAsyncResult * result, GError * *error), (self, result, error))  \
  FUNCTION(secret_service_get_session_dbus_path, const gchar *, (SecretService * self), (self))    \
  FUNCTION(secret_service_get_type, GType, (void), ())                                             \
  FUNCTION(secret_service_open_finish, SecretService *, (GAsyncResult * result, GError * *error),  \
           (result, error))                                                                        \
  FUNCTION(secret_service_prompt_at_dbus_path, void,                                               \
           (SecretService * self, const gchar *prompt, const GVariantType *type,                   \
            GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data),               \
           (self, prompt, type, cancellable, callback, data))                                      \
  FUNCTION(secret_service_prompt_at_dbus_path_finish, GVariant *,                                  \
           (SecretService * self, GAsyncResult * result, GError * *error), (self, result, error))  \
  FUNCTION(secret_service_unlock_dbus_paths, void,                                                 \
           (SecretService * self, const gchar **paths, GCancellable *cancellable,                  \
            GAsyncReadyCallback callback, gpointer data),                                          \
           (self, paths, cancellable, callback, data))                                             \
  FUNCTION(secret_service_unlock_dbus_paths_finish, gint,                                          \
           (SecretService * self, GAsyncResult * result, gchar * **unlocked, GError **error),      \
           (self, result, unlocked, error))                                                        \
  FUNCTION(secret_value_get, const gchar *, (SecretValue * value, gsize * length),                 \
           (value, length))                                                                        \
  FUNCTION(secret_value_new, SecretValue *,                                                        \
           (const gchar *secret, gssize length, const gchar *type), (secret, length, type))        \
  FUNCTION(secret_value_unref, void, (gpointer value), (value))

#define CSECRET_MEMBER(name, result, parameters, arguments) __typeof__(name) *name;
static struct {
  CSECRET_FUNCTIONS(CSECRET_MEMBER)
} library;

const char *csecret_load(const char *soname) {
  static char reason[128];
  void *handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL) return dlerror();
#define CSECRET_FIND(name, result, parameters, arguments)                                          \
  library.name = (__typeof__(library.name))dlsym(handle, #name);                                   \
  if (library.name == NULL) {                                                                      \
    snprintf(reason, sizeof reason, "%s lacks the function %s", soname, #name);                    \
    return reason;                                                                                 \
  }
  CSECRET_FUNCTIONS(CSECRET_FIND)
  return NULL;
}

GQuark csecret_error_domain(void) {
  return library.secret_error_get_quark != NULL ? library.secret_error_get_quark() : 0;
}

/* By the names of its header: whoever includes it calls them as if the library were linked. */
#define CSECRET_FORWARD(name, result, parameters, arguments)                                       \
  result name parameters { return library.name arguments; }
CSECRET_FUNCTIONS(CSECRET_FORWARD)
