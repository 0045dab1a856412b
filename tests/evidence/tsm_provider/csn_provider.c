/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * csn_provider.c: platforms for a test kernel: a configfs-tsm provider, and a /dev/nsm.
 *
 * A kernel module has to be under the kernel's licence; it is built only inside a test, against
 * Debian's headers, and nothing else of Caisson contains or needs it.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/tsm.h>
#include <linux/uaccess.h>
#include <uapi/linux/nsm.h>

static uint size = 1184;
module_param(size, uint, 0600);
static uint aux_size;
module_param(aux_size, uint, 0600);

static int report_new(struct tsm_report *report, void *data)
{
    if (report->desc.inblob_len != 64)
        return -EINVAL; /* as sev-guest and tdx-guest say */
    report->outblob = kvzalloc(size + 64, GFP_KERNEL);
    report->auxblob = aux_size ? kvzalloc(aux_size, GFP_KERNEL) : NULL;
    if (!report->outblob)
        return -ENOMEM;
    report->outblob[0] = 2;
    report->outblob[0x30] = report->desc.privlevel;
    memcpy(report->outblob + 0x50, report->desc.inblob, 64);
    report->outblob_len = size;
    report->auxblob_len = report->auxblob ? aux_size : 0;
    return 0;
}

static bool attr_visible(int n)
{
    return true;
}

static bool bin_attr_visible(int n)
{
    return n == TSM_REPORT_INBLOB || n == TSM_REPORT_OUTBLOB || n == TSM_REPORT_AUXBLOB;
}

static const struct tsm_ops ops = {
    .name = "sev_guest",
    .report_new = report_new,
    .report_attr_visible = attr_visible,
    .report_bin_attr_visible = bin_attr_visible,
};

/* Answers any request with a document that is the request. */
static long nsm_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
    static const char head[] = "\xa1\x6b"
                               "Attestation"
                               "\xa1\x68"
                               "document"
                               "\x58";
    struct nsm_raw raw;
    u8 answer[300];
    size_t at = sizeof(head) - 1;

    if (command != NSM_IOCTL_RAW)
        return -EINVAL;
    if (copy_from_user(&raw, (void __user *)argument, sizeof(raw)))
        return -EFAULT;
    if (raw.request.len > 255 || raw.request.len < 24 || raw.response.len < sizeof(answer))
        return -EMSGSIZE;
    memcpy(answer, head, at);
    answer[at++] = raw.request.len;
    if (copy_from_user(answer + at, u64_to_user_ptr(raw.request.addr), raw.request.len))
        return -EFAULT;
    at += raw.request.len;
    raw.response.len = at;
    if (copy_to_user(u64_to_user_ptr(raw.response.addr), answer, at) ||
        copy_to_user((void __user *)argument, &raw, sizeof(raw)))
        return -EFAULT;
    return 0;
}

static const struct file_operations nsm_operations = {
    .owner = THIS_MODULE,
    .unlocked_ioctl = nsm_ioctl,
};
static struct miscdevice nsm = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "nsm",
    .fops = &nsm_operations,
};

static int __init provider_init(void)
{
    int result = misc_register(&nsm);

    if (result)
        return result;
    result = tsm_register(&ops, NULL);
    if (result)
        misc_deregister(&nsm);
    return result;
}

static void __exit provider_exit(void)
{
    tsm_unregister(&ops);
    misc_deregister(&nsm);
}

module_init(provider_init);
module_exit(provider_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Platforms for a test kernel");
