#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks into built images for what an image must not contain. TAP on stdout.

usage: inspect_images.py LINKER_SCRIPT CC IMAGE...

Every check is run on every image, and then on seeded images that have exactly the fault the check
is there for: a check that does not reject its seed fails this test.
"""
import os
import re
import subprocess
import sys
import tempfile

# Leaving the image is the gate's business alone; the rest is privileged, or reads a clock.
LEAVING = {'syscall', 'sysenter', 'sysexit', 'sysret', 'int', 'int1', 'int3', 'into', 'in', 'out',
           'ins', 'insb', 'insl', 'insw', 'outs', 'outsb', 'outsl', 'outsw', 'vmcall', 'vmmcall',
           'vmfunc', 'hlt', 'cli', 'sti', 'iret', 'iretq', 'lcall', 'ljmp', 'lret', 'rdmsr',
           'wrmsr', 'wrfsbase', 'wrgsbase', 'rdtsc', 'rdtscp', 'xsetbv', 'wrpkru'}
CPUID = {'cpuid'}
ALLOCATORS = re.compile(r'^(malloc|calloc|realloc|free|aligned_alloc|posix_memalign|memalign|valloc'
                        r'|brk|sbrk|mmap|munmap|_Zn[wa]\w+|_Zd[la]\w+|sodium_(malloc|allocarray))$')
# Where instructions that are otherwise refused may stand: function name -> mnemonics.
EXCEPTIONS = {'_start': {'fninit'}}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Image:
    def __init__(self, path):
        self.path = path
        self.segments = [line.split() for line in run('readelf', '-lW', path).splitlines()
                         if re.match(r'^  [A-Z_0-9]+ +0x[0-9a-f]+ 0x', line)]
        self.sections = re.findall(r'^  \[ *\d+\] (\S*) +([A-Z_0-9]+) ',
                                   run('readelf', '-SW', path), re.M)
        self.symbols = [line.split() for line in run('nm', path).splitlines()]
        self.code = []
        function = '?'
        for line in run('objdump', '-d', '-w', '--no-show-raw-insn', path).splitlines():
            label = re.match(r'^[0-9a-f]+ <(.+)>:$', line)
            if label:
                # Local labels of entry.S belong to the function that they stand in.
                if label.group(1) in {s[2] for s in self.symbols if s[1] in 'Tt'} - LOCAL_LABELS:
                    function = label.group(1)
                continue
            parts = line.split('\t')
            if len(parts) >= 2:
                self.code.append((function, parts[1].strip()))


LOCAL_LABELS = {'draw', 'again', 'go'}
PREFIXES = {'lock', 'rep', 'repz', 'repnz', 'cs', 'ds', 'es', 'ss', 'fs', 'gs', 'data16', 'addr32',
            'bnd', 'notrack', 'rex.W', 'rex'}


def mnemonic(text):
    for word in text.split():
        if word not in PREFIXES and not word.startswith('rex.'):
            return word
    return text


def find_instructions(image, wanted):
    hits = []
    for function, text in image.code:
        name = mnemonic(text)
        if wanted(name) and name not in EXCEPTIONS.get(function, ()):
            hits.append(f'{text} in {function}')
    return hits


def check_leaving(image):
    return find_instructions(image, lambda name: name in LEAVING)


def check_cpuid(image):
    return find_instructions(image, lambda name: name in CPUID)


def check_decodes(image):
    return find_instructions(image, lambda name: '(bad)' in name)


def check_x87(image):
    # Every x87 mnemonic begins with f; nothing else that a 64-bit compiler emits does.
    return find_instructions(image, lambda name: name.startswith('f') and name not in {'fs'}
                             and not name.startswith('fxsave') and not name.startswith('fxrstor'))


def check_segments(image):
    hits = []
    for fields in image.segments:
        flags = ''.join(fields[6:-1])
        if fields[0] not in ('LOAD', 'NOTE'):
            hits.append(f'program header {fields[0]}')
        if 'W' in flags and 'E' in flags:
            hits.append('segment writable and executable')
    return hits


def check_relocations(image):
    return [f'section {name} of kind {kind}' for name, kind in image.sections
            if kind in ('REL', 'RELA', 'RELR', 'DYNAMIC', 'DYNSYM', 'INIT_ARRAY', 'FINI_ARRAY',
                        'PREINIT_ARRAY')]


def check_undefined(image):
    """A linker that was told to tolerate it leaves no symbol, but a call to nowhere."""
    hits = [f'undefined {s[-1]}' for s in image.symbols if s[-2] in ('U', 'w', 'v')]
    code = [(int(f[2], 16), int(f[2], 16) + int(f[5], 16)) for f in image.segments
            if f[0] == 'LOAD' and 'E' in ''.join(f[6:-1])]
    for function, text in image.code:
        target = re.match(r'^(?:bnd |notrack )?(?:call|j[a-z]+) +(?:0x)?([0-9a-f]+)(?: <|$)', text)
        if target and not any(low <= int(target.group(1), 16) < high for low, high in code):
            hits.append(f'{text} in {function}')
    return hits


def check_allocators(image):
    return [f'allocator {s[-1]}' for s in image.symbols if ALLOCATORS.match(s[-1])]


def check_canary(image):
    """An image of any size has protected functions; only the bare test images have none."""
    if len(image.code) < 2000:
        return []
    return [] if any('%fs:0x28' in text and function != '_start' for function, text in image.code) \
        else ['no stack protector in a large image']


CHECKS = [check_leaving, check_cpuid, check_decodes, check_x87, check_segments, check_relocations,
          check_undefined, check_allocators, check_canary]

NOTE = '.section .note.caisson,"a"\n.zero 252\n'
START = '.section .text.start,"ax"\n.globl _start\n.type _start,@function\n_start: fninit\n'
# seed -> (assembly, extra link arguments, the check that must reject it)
SEEDS = {
    'clean': (START + 'ret\n', [], None),
    'syscall': (START + 'syscall\n', [], check_leaving),
    'sysenter': (START + 'sysenter\n', [], check_leaving),
    'int': (START + 'int $0x80\n', [], check_leaving),
    'int3': (START + 'int3\n', [], check_leaving),
    'in': (START + 'inb $0x10, %al\n', [], check_leaving),
    'in_dx': (START + 'inl %dx, %eax\n', [], check_leaving),
    'out': (START + 'outb %al, $0x10\n', [], check_leaving),
    'rep_outs': (START + 'rep outsb\n', [], check_leaving),
    'vmmcall': (START + 'vmmcall\n', [], check_leaving),
    'wrfsbase': (START + 'wrfsbase %rax\n', [], check_leaving),
    'rdtsc': (START + 'rdtsc\n', [], check_leaving),
    'cpuid': (START + 'cpuid\n', [], check_cpuid),
    'bad': (START + '.byte 0x06\n', [], check_decodes),
    'x87': (START + 'ret\n.section .text.f,"ax"\n.globl f\n.type f,@function\nf: fldz\n',
            ['-Wl,-u,f'], check_x87),
    'fninit_elsewhere': (START + 'ret\n.section .text.f,"ax"\n.globl f\n.type f,@function\n'
                         'f: fninit\n', ['-Wl,-u,f'], check_x87),
    'undefined': (START + 'ret\ncall missing\n', ['-Wl,--unresolved-symbols=ignore-all'],
                  check_undefined),
    'allocator': (START + 'ret\n.globl malloc\nmalloc: ret\n', [], check_allocators),
    'relocations': (START + 'call other\n.section .text.o,"ax"\n.globl other\nother: ret\n',
                    ['-Wl,--emit-relocs'], check_relocations),
    'interpreter': (START + 'ret\n', ['PATCH_INTERP'], check_segments),
    'writable_text': (START + 'ret\n', ['PATCH_RWX'], check_segments),
    'no_canary': (START + '.rept 3000\nnop\n.endr\n', [], check_canary),
}


def build_seed(folder, name, script, cc):
    text, arguments, _ = SEEDS[name]
    source, output = os.path.join(folder, name + '.S'), os.path.join(folder, name + '.elf')
    with open(source, 'w', encoding='ascii') as file:
        file.write(text + NOTE + '.section .note.GNU-stack,"",@progbits\n')
    link = [a for a in arguments if not a.startswith('PATCH')]
    if name == 'relocations':
        # The real script refuses relocations itself; a copy without that line lets them through.
        with open(script, encoding='ascii') as file:
            loose = re.sub(r'.*\.rela : .*\n|.*SIZEOF\(\.rela\).*\n', '', file.read())
        script = os.path.join(folder, 'loose.ld')
        with open(script, 'w', encoding='ascii') as file:
            file.write(loose)
    subprocess.run(cc + ['-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none',
                         '-Wl,-T,' + script, source, '-o', output] + link, check=True)
    with open(output, 'r+b') as file:
        if 'PATCH_RWX' in arguments:
            file.seek(64 + 4)
            file.write(b'\x07')
        if 'PATCH_INTERP' in arguments:
            file.seek(64 + 3 * 56)
            file.write(b'\x03')
    return output


def main():
    script, cc, images = sys.argv[1], sys.argv[2].split(','), sys.argv[3:]
    count = failed = 0

    def report(good, text, details=()):
        nonlocal count, failed
        count += 1
        failed += not good
        print(('ok' if good else 'not ok'), count, '-', text)
        for line in list(details)[:8]:
            print('#', line)

    for path in images:
        image = Image(path)
        report(len(image.code) > 10 and len(image.segments) >= 4, f'{os.path.basename(path)} read',
               [f'{len(image.code)} instructions'])
        for check in CHECKS:
            hits = check(image)
            report(not hits, f'{os.path.basename(path)} {check.__name__}', hits)
    with tempfile.TemporaryDirectory() as folder:
        for name, (_, _, expected) in SEEDS.items():
            image = Image(build_seed(folder, name, script, cc))
            rejecting = [check for check in CHECKS if check(image)]
            wanted = [] if expected is None else [expected]
            report(rejecting == wanted, f'seeded image {name} is rejected by '
                   + (expected.__name__ if expected else 'nothing'),
                   [f'rejected by {[c.__name__ for c in rejecting]}'])
    print(f'1..{count}')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
