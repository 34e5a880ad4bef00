/*
 * The start of the same work on a bare PC with paging, for QEMU's system emulation: entered in 32-bit protected mode with
 * the start info of Xen's PVH boot protocol in EBX; goes to long mode with the first 4 GiB mapped to themselves in pages of
 * 2 MiB, turns SSE on, and calls machine().
 */
        .section .note.pvh, "a", @note
        .long 4, 4, 18                  /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .long start

        .text
        .code32
        .globl start
start:  mov $stack, %esp
        mov $directories, %eax
        mov $pointers, %edi
        mov $4, %ecx
1:      lea 3(%eax), %edx               /* present, writable */
        mov %edx, (%edi)
        add $4096, %eax
        add $8, %edi
        loop 1b
        mov $directories, %edi
        mov $0x83, %eax                 /* present, writable, 2 MiB */
        mov $2048, %ecx
2:      mov %eax, (%edi)
        add $0x200000, %eax
        add $8, %edi
        loop 2b
        movl $pointers + 3, top
        mov $top, %eax
        mov %eax, %cr3
        mov $0x620, %eax                /* PAE, OSFXSR, OSXMMEXCPT */
        mov %eax, %cr4
        mov $0xc0000080, %ecx           /* EFER.LME */
        rdmsr
        bts $8, %eax
        wrmsr
        mov $0x80010013, %eax           /* PG, WP, ET, MP, PE */
        mov %eax, %cr0
        lgdt descriptors
        ljmp $8, $3f
        .code64
3:      mov %ebx, %edi
        mov $0x10, %eax
        mov %eax, %ss
        mov %eax, %ds
        mov %eax, %es
        call machine

        .section .rodata
        .balign 8
segments:
        .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
descriptors:
        .word descriptors - segments - 1
        .long segments

        .bss
        .balign 4096
top:    .skip 4096
pointers:
        .skip 4096
directories:
        .skip 4 * 4096
        .skip 65536
stack:
        .section .note.GNU-stack, "", @progbits
