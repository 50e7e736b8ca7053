using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>How a new machine is made of a recovery point.</summary>
public sealed record NewMachineRequest
{
    /// <summary>Its name: letters, digits, '.', '-' and '_', up to 63, of which the first is a letter or a digit.</summary>
    public required string Name { get; init; }

    /// <summary>The folder that it is written to. It is made where it is not there.</summary>
    public required string Folder { get; init; }

    /// <summary>The format of its images: qcow2 or raw.</summary>
    public string Format { get; init; } = "qcow2";

    /// <summary>What its network cards are connected to.</summary>
    public MachineNetwork Network { get; init; } = MachineNetwork.None;

    /// <summary>What is done where its files are there.</summary>
    public ExistingFiles Existing { get; init; }
}

/// <summary>What a restore of a machine, or of a disk, has written.</summary>
/// <param name="Name">The machine; of a disk, the machine that it is of.</param>
/// <param name="Disks">The disks, each with the file of its image.</param>
/// <param name="Definition">The definition for libvirt; null where none was written.</param>
/// <param name="Script">The script that starts it; null where none was written.</param>
/// <param name="Notes">What differs from the machine that was backed up, in sentences.</param>
public sealed record RestoredMachine(string Name, IReadOnlyList<(MachineDisk Disk, string File)> Disks, string? Definition, string? Script, IReadOnlyList<string> Notes)
{
    /// <summary>Of a disk that was replaced, the file that the one before is kept in; null otherwise.</summary>
    public string? Kept { get; init; }

    /// <summary>Of a disk that was replaced, the recovery point of the one before; null otherwise.</summary>
    public string? SafetyPoint { get; init; }
}

/// <summary>Restores machines, and single disks, to files. Each file is written under another name, and gets its own when it is whole.</summary>
public static class MachineRestore
{
    private const int MostName = 63;

    /// <summary>Makes a new machine: its images, the variables of its firmware, a definition for libvirt and a script for QEMU.</summary>
    /// <param name="point">The recovery point.</param>
    /// <param name="request">How.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it. Then nothing of it is there.</param>
    /// <exception cref="BackupException">
    /// ArgumentInvalid; MachineTargetTaken, MachineNotOff; MachinePointUnfit; RestoreTargetFull, RestoreTargetUnwritable; VirtualMachineProgramUnusable; VaultDataMissing, VaultDataCorrupt, …: the message names the
    /// disk. Then nothing of it is there.
    /// </exception>
    public static async Task<RestoredMachine> CreateAsync(MachinePoint point, NewMachineRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        CheckName(request.Name);
        CheckFormat(request.Format);
        string folder = Path.GetFullPath(request.Folder);
        int cards = (point.Description.Hardware?.Cards ?? [new MachineCard("", null)]).Count;
        var machine = new NewMachine(
            request.Name,
            NewMachine.CreateUuid(),
            folder,
            request.Format,
            request.Network,
            point.Description,
            [.. Enumerable.Range(0, cards).Select(_ => NewMachine.CreateAddress())],
            point.Variables is not null);
        (string definition, IReadOnlyList<string> notes) = Define(point, machine);
        string definitionFile = Path.Combine(folder, $"{machine.Name}.xml");
        string scriptFile = Path.Combine(folder, $"{machine.Name}.sh");
        var disks = point.Description.Disks.Select(disk => (Disk: disk, File: Path.Combine(folder, machine.FileOf(disk)))).ToList();
        List<(string File, byte[] Content)> texts = [];
        if (point.Variables is { } variables)
        {
            texts.Add((Path.Combine(folder, machine.VariablesFile), variables.ToArray()));
        }

        texts.Add((definitionFile, Encoding.UTF8.GetBytes(definition)));
        texts.Add((scriptFile, Encoding.UTF8.GetBytes(StartScript.Write(machine))));
        bool isNew = !Directory.Exists(folder);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RestoreFiles.Failed(folder, e);
        }

        string[] files = [.. disks.Select(disk => disk.File), .. texts.Select(text => text.File)];
        foreach (string file in files)
        {
            await request.Existing.CheckAsync(file, cancellationToken).ConfigureAwait(false);
            await RestoreFiles.ClearAsync(Staged(file), cancellationToken).ConfigureAwait(false);
        }

        var published = new List<string>();
        bool isWhole = false;
        try
        {
            monitor.Enter(JobPhase.Transferring);
            monitor.Expect(disks.Count, disks.Sum(disk => disk.Disk.Bytes));
            var writer = new DiskImageWriter(point, monitor);
            foreach ((MachineDisk disk, string file) in disks)
            {
                await writer.WriteAsync(disk, Staged(file), request.Format, cancellationToken).ConfigureAwait(false);
            }

            texts.ForEach(text => RestoreFiles.Write(Staged(text.File), text.Content, isProgram: text.File == scriptFile));
            monitor.Enter(JobPhase.Committing);
            foreach (string file in files)
            {
                // A machine may have been started in the meantime.
                await request.Existing.CheckAsync(file, cancellationToken).ConfigureAwait(false);
            }

            foreach (string file in files)
            {
                RestoreFiles.Publish(Staged(file), file, request.Existing == ExistingFiles.Replace);
                published.Add(file);
            }

            isWhole = true;
        }
        finally
        {
            if (!isWhole)
            {
                foreach (string file in files)
                {
                    RestoreFiles.TryDelete(Staged(file));
                }

                // What was replaced is gone, and its successor is whole.
                (request.Existing == ExistingFiles.Replace ? [] : published).ForEach(RestoreFiles.TryDelete);
                if (isNew && !Directory.EnumerateFileSystemEntries(folder).Any())
                {
                    Directory.Delete(folder);
                }
            }
        }

        monitor.Enter(JobPhase.Finished);
        return new RestoredMachine(machine.Name, disks, definitionFile, scriptFile, notes);

        string Staged(string file) => RestoreFiles.StagedName(file, point.Point.SessionId);
    }

    /// <summary>Restores one disk to a file.</summary>
    /// <param name="point">The recovery point.</param>
    /// <param name="name">The name of the disk.</param>
    /// <param name="file">The file.</param>
    /// <param name="format">Its format; null: qcow2 for FILE.qcow2, raw for FILE.raw and FILE.img.</param>
    /// <param name="existing">What is done where it is there.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it. Then nothing of it is there.</param>
    /// <exception cref="BackupException">As of <see cref="CreateAsync"/>.</exception>
    public static async Task<RestoredMachine> RestoreDiskAsync(
        MachinePoint point, string name, string file, string? format, ExistingFiles existing, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(monitor);
        MachineDisk disk = point.FindDisk(name);
        format ??= FormatOf(file);
        CheckFormat(format);
        string path = Path.GetFullPath(file);
        if (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            throw new BackupException(BackupErrorId.RestoreTargetInvalid, $"There is no folder '{Path.GetDirectoryName(path)}'.", "Make it, or restore to another one.", path);
        }

        string staged = RestoreFiles.StagedName(path, point.Point.SessionId);
        await existing.CheckAsync(path, cancellationToken).ConfigureAwait(false);
        await RestoreFiles.ClearAsync(staged, cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Transferring);
        monitor.Expect(1, disk.Bytes);
        await new DiskImageWriter(point, monitor).WriteAsync(disk, staged, format, cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Committing);
        try
        {
            await existing.CheckAsync(path, cancellationToken).ConfigureAwait(false);
            RestoreFiles.Publish(staged, path, existing == ExistingFiles.Replace);
        }
        finally
        {
            RestoreFiles.TryDelete(staged);
        }

        monitor.Enter(JobPhase.Finished);
        return new RestoredMachine(point.Description.Name, [(disk, path)], null, null, []);
    }

    /// <summary>The format of an image, by its name.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: the name tells none.</exception>
    public static string FormatOf(string file) => Path.GetExtension(file ?? throw new ArgumentNullException(nameof(file))).ToUpperInvariant() switch
    {
        ".QCOW2" => "qcow2",
        ".RAW" or ".IMG" => "raw",
        _ => throw new BackupException(BackupErrorId.ArgumentInvalid, $"The format of '{file}' is not known.", "Name it FILE.qcow2 or FILE.raw, or say which it is: --format qcow2 (-Format).", file),
    };

    private static (string Definition, IReadOnlyList<string> Notes) Define(MachinePoint point, NewMachine machine)
    {
        var notes = new List<string> { $"It is called '{machine.Name}', and has another UUID and other MAC addresses than '{point.Description.Name}'." };
        notes.Add(
            machine.Network == MachineNetwork.None ? "Its network cards are not connected."
            : machine.Network.Bridge is { } bridge ? $"Its network cards are connected to the bridge '{bridge}'."
            : "Its network cards are in a network of their own behind this host.");
        if (point.Description.Hardware is null && point.Domain is null)
        {
            notes.Add("The recovery point does not say what it was made of: memory, processors, firmware and the kind of its disks are usual ones.");
        }

        if (machine.IsUefi)
        {
            notes.Add(machine.HasVariables ? "UEFI starts it, with the variables that it had." : "UEFI starts it. Its variables are not in the recovery point: they begin anew, as the firmware's template has them.");
        }

        if (point.Description.LeftOut.Count > 0)
        {
            notes.Add($"It has no {string.Join(", ", point.Description.LeftOut)}: left out of the backup.");
        }

        if (point.Domain is not { } domain)
        {
            return (DomainXml.Create(machine), notes);
        }

        (string xml, IReadOnlyList<string> removed) = DomainXml.Edit(domain, machine, NewMachine.CreateAddress);
        if (removed.Except(point.Description.LeftOut).ToList() is { Count: > 0 } others)
        {
            notes.Add($"Its definition has no {string.Join(", ", others)}: not in the recovery point.");
        }

        return (xml, notes);
    }

    private static void CheckName(string name)
    {
        if (name.Length is 0 or > MostName || !char.IsAsciiLetterOrDigit(name[0]) || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_'))
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, $"A machine cannot be called '{name}'.", $"Use letters, digits, '.', '-' and '_', at most {MostName}, and begin with a letter or a digit.", name);
        }
    }

    private static void CheckFormat(string format)
    {
        if (!DiskImageWriter.Formats.Contains(format))
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, $"Images of the format '{format}' are not written.", $"Use one of: {string.Join(", ", DiskImageWriter.Formats)}.", format);
        }
    }
}
