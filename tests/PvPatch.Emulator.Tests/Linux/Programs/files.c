/* Files, folders, links, times and what is told of them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    char folder[] = "/tmp/pvpatch-XXXXXX";
    char text[100] = "";
    struct stat status;
    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    FILE *file = fopen("one", "w+");
    for (int i = 0; i < 1000; i++)
        fprintf(file, "line %d %g\n", i, sin(i));
    fseek(file, 500, SEEK_SET);
    if (!fgets(text, sizeof text, file))
        return 1;
    fclose(file);
    printf("%s", text);
    int made = link("one", "two");
    made += symlink("one", "three");
    made += mkdir("four", 0700);
    printf("made %d\n", made);
    stat("one", &status);
    printf("size %ld links %ld mode %o\n", (long)status.st_size, (long)status.st_nlink, status.st_mode);
    lstat("three", &status);
    memset(text, 0, sizeof text);
    ssize_t length = readlink("three", text, sizeof text);
    printf("link %o %zd %s\n", status.st_mode, length, text);
    made = chmod("one", 0640);
    made += truncate("one", 10);
    printf("cut %d\n", made);
    struct timespec stamps[2] = { { 1000000, 0 }, { 2000000, 500000000 } };
    utimensat(AT_FDCWD, "one", stamps, 0);
    stat("one", &status);
    printf("size %ld mode %o time %ld\n", (long)status.st_size, status.st_mode, (long)status.st_mtime);
    int number = 0;
    DIR *opened = opendir(".");
    for (struct dirent *entry; (entry = readdir(opened));)
        number += entry->d_type == DT_REG ? 1 : entry->d_type == DT_DIR ? 10 : entry->d_type == DT_LNK ? 100 : 1000;
    closedir(opened);
    printf("entries %d\n", number);
    int descriptor = open("one", O_RDWR);
    char *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
    length = pread(descriptor, text, 4, 5);
    printf("mapped %.9s %d\n", mapped, length == 4 && memcmp(text, mapped + 5, 4) == 0);
    struct statfs system;
    struct sysinfo info;
    struct tms tms = { 0 };
    struct rusage usage;
    struct utsname name;
    printf("%d %d %d %d %d\n", fstatfs(descriptor, &system), sysinfo(&info), (long)times(&tms) > 0, getrusage(RUSAGE_SELF, &usage), uname(&name));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(descriptor, &set);
    printf("select %d\n", select(descriptor + 1, &set, NULL, NULL, NULL));
    int wrong = open("none", O_RDONLY);
    printf("open %d %d\n", wrong, errno);
    wrong = rmdir("one");
    printf("rmdir %d %d\n", wrong, errno);
    wrong = rename("one", "four/one");
    wrong += unlink("four/one");
    wrong += unlink("two");
    wrong += unlink("three");
    wrong += rmdir("four");
    printf("gone %d %d\n", wrong, access("four", F_OK));
    if (chdir("/") || rmdir(folder))
        return 1;
    struct timespec nap = { 0, 2000000 };
    printf("nap %d\n", nanosleep(&nap, NULL));
    return 4;
}
