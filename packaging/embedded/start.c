char **cglibc_arguments;
extern int coder_cred_main(int count, char **arguments);
int main(int count, char **arguments) {
  cglibc_arguments = arguments;
  return coder_cred_main(count, arguments);
}
