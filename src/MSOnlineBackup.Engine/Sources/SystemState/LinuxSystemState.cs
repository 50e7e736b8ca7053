using System.Text;

namespace MSOnlineBackup.Engine.Sources.SystemState;

/// <summary>
/// What makes a Linux machine the one that it is, beside its data: its configuration, users and timers as they lie in files, and
/// its packages, partitions and mounts as its own programs describe them.
/// </summary>
/// <param name="commands">The programs.</param>
/// <param name="root">Where the file system begins; "/" outside tests.</param>
internal sealed class LinuxSystemState(ISystemCommands commands, string root = "/") : ISystemState
{
    private const string IndexFile = "index.txt";

    // Users and groups, units, timers, mounts and boot loaders' defaults are in /etc.
    private static readonly string[] _files =
    [
        "etc",
        "usr/local/etc",
        "usr/local/lib/systemd",
        "var/spool/cron",
        "var/spool/at",
        "boot/grub/grub.cfg",
        "boot/grub/grubenv",
        "boot/grub2/grub.cfg",
        "boot/grub2/grubenv",
        "boot/loader",
        "boot/efi/loader",
        "boot/cmdline.txt",
        "boot/config.txt",
        "boot/firmware/cmdline.txt",
        "boot/firmware/config.txt",
    ];

    private static readonly (string File, string[] Command)[] _descriptions =
    [
        ("packages-dpkg.txt", ["dpkg-query", "--show", "--showformat", @"${binary:Package}\t${Version}\t${db:Status-Abbrev}\n"]),
        ("packages-apt-manual.txt", ["apt-mark", "showmanual"]),
        ("packages-rpm.txt", ["rpm", "--query", "--all", "--queryformat", @"%{NAME}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\t%{ARCH}\n"]),
        ("packages-apk.txt", ["apk", "info", "--verbose"]),
        ("packages-pacman.txt", ["pacman", "--query"]),
        ("packages-snap.txt", ["snap", "list"]),
        ("packages-flatpak.txt", ["flatpak", "list"]),
        ("units.txt", ["systemctl", "list-unit-files", "--no-pager", "--no-legend"]),
        ("kernel.txt", ["uname", "-a"]),
        ("block-devices.json", ["lsblk", "--json", "--bytes", "--output", "NAME,TYPE,SIZE,FSTYPE,LABEL,UUID,PARTTYPE,PARTUUID,PTTYPE,MOUNTPOINT"]),
        ("mounts.txt", ["findmnt", "--list", "--output", "TARGET,SOURCE,FSTYPE,OPTIONS"]),
        ("volume-groups.txt", ["vgs", "--noheadings", "--options", "vg_name,vg_uuid,vg_size,pv_name"]),
        ("logical-volumes.txt", ["lvs", "--noheadings", "--options", "lv_name,vg_name,lv_size,segtype"]),
        ("raid.txt", ["mdadm", "--detail", "--scan"]),
        ("network.txt", ["ip", "-details", "address"]),
        ("routes.txt", ["ip", "route", "show", "table", "all"]),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<string> FindFiles()
    {
        string boot = Path.Combine(root, "boot");
        IEnumerable<string> kernels = Directory.Exists(boot) ? Directory.EnumerateFiles(boot, "config-*").Order(StringComparer.Ordinal) : [];
        return [.. _files.Select(file => Path.Combine(root, file)).Where(Path.Exists), .. kernels];
    }

    /// <inheritdoc/>
    public async Task DescribeAsync(string folder, CancellationToken cancellationToken)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var index = new StringBuilder();
        foreach ((string file, string[] command) in _descriptions)
        {
            await DescribeAsync(folder, file, command, index, cancellationToken).ConfigureAwait(false);
        }

        foreach (string disk in await FindDisksAsync(cancellationToken).ConfigureAwait(false))
        {
            string file = $"partitions-{disk.Replace("/dev/", "", StringComparison.Ordinal).Replace('/', '-')}.sfdisk";
            await DescribeAsync(folder, file, ["sfdisk", "--dump", disk], index, cancellationToken).ConfigureAwait(false);
        }

        await File.WriteAllTextAsync(Path.Combine(folder, IndexFile), index.ToString(), cancellationToken).ConfigureAwait(false);
    }

    private async Task<IEnumerable<string>> FindDisksAsync(CancellationToken cancellationToken)
    {
        CommandResult? disks =
            await commands.RunAsync("lsblk", ["--nodeps", "--noheadings", "--paths", "--output", "NAME,TYPE"], cancellationToken).ConfigureAwait(false);
        return disks is not { ExitCode: 0 } ? [] :
            from line in disks.Output.Split('\n')
            let words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            where words is [['/', ..], "disk"]
            select words[0];
    }

    private async Task DescribeAsync(string folder, string file, string[] command, StringBuilder index, CancellationToken cancellationToken)
    {
        CommandResult? result = await commands.RunAsync(command[0], command[1..], cancellationToken).ConfigureAwait(false);
        if (result is { ExitCode: 0 })
        {
            await File.WriteAllTextAsync(Path.Combine(folder, file), result.Output, cancellationToken).ConfigureAwait(false);
        }

        string how = result switch
        {
            null => "not installed",
            { ExitCode: 0 } => "made",
            _ => $"failed with status {result.ExitCode}: {result.Error.Trim().ReplaceLineEndings(" ")}",
        };
        index.Append(file).Append('\t').AppendJoin(' ', command).Append('\t').Append(how).Append('\n');
    }
}
