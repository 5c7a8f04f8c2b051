/* The second floor: the same item read through libsecret, and nothing else.
   usage: library NAME VALUE ...   (attributes, all of them) */
#include <libsecret/secret.h>
#include <stdio.h>

int main(int count, char **words) {
  static const SecretSchema schema = {
    "io.github.coder_cred", SECRET_SCHEMA_DONT_MATCH_NAME,
    {{"application", SECRET_SCHEMA_ATTRIBUTE_STRING}, {"kind", SECRET_SCHEMA_ATTRIBUTE_STRING},
     {"deployment", SECRET_SCHEMA_ATTRIBUTE_STRING}, {"account", SECRET_SCHEMA_ATTRIBUTE_STRING}}};
  GHashTable *attributes = g_hash_table_new(g_str_hash, g_str_equal);
  for (int index = 1; index + 1 < count; index += 2)
    g_hash_table_insert(attributes, words[index], words[index + 1]);
  gchar *secret = secret_password_lookupv_sync(&schema, attributes, NULL, NULL);
  if (!secret) return 1;
  puts(secret);
  return 0;
}
