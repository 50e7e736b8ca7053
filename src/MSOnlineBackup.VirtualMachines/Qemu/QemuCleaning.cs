using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>
/// Takes out of a machine what a backup has put in, by the names: what this one has, or what one has left that was killed, at whatever step. The records of changes stay as they are.
/// </summary>
/// <param name="qemu">The machine.</param>
internal sealed class QemuCleaning(QemuCommands qemu)
{
    /// <summary>Takes out what a killed backup has left, and its files.</summary>
    /// <returns>Whether there was anything.</returns>
    /// <exception cref="BackupException">VirtualMachineBusy: the backup is under way; VirtualMachineUnreachable, VirtualMachineCommandFailed.</exception>
    public async Task<bool> RunAfterOthersAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, QemuNode> nodes = await qemu.ListNodesAsync(cancellationToken).ConfigureAwait(false);
        string[] folders = [.. nodes.Values
            .Where(node => QemuNames.OfFile(node.Name) is not null && node.File is not null && QemuRunFolder.IsScratch(node.File))
            .Select(node => Path.GetDirectoryName(node.File)!)
            .Distinct(StringComparer.Ordinal)];
        if (Array.Find(folders, QemuRunFolder.IsHeld) is not null)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineBusy, $"The virtual machine '{qemu.Machine}' is being backed up by somebody else.", "Wait for that backup to end.", qemu.Machine, transient: true);
        }

        bool wasServing = Array.Exists(folders, QemuRunFolder.IsServing) || (await qemu.ListExportsAsync(cancellationToken).ConfigureAwait(false)).Count > 0;
        bool found = await RunAsync(wasServing, cancellationToken).ConfigureAwait(false);
        foreach (string folder in folders)
        {
            QemuRunFolder.Remove(folder);
        }

        return found;
    }

    /// <summary>Takes all out.</summary>
    /// <param name="isServing">Whether the server of disks was started by the backup.</param>
    /// <param name="cancellationToken">Stops it between two steps.</param>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> RunAsync(bool isServing, CancellationToken cancellationToken)
    {
        if (isServing)
        {
            await qemu.StopServerAsync(cancellationToken).ConfigureAwait(false);
        }

        IReadOnlyDictionary<string, QemuNode> nodes = await qemu.ListNodesAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<(string Device, string Drive, string Node)> drives = await qemu.ListDrivesAsync(cancellationToken).ConfigureAwait(false);
        await qemu.EndJobAsync(cancellationToken).ConfigureAwait(false);
        bool found = false;
        foreach (QemuNames names in Indexes(nodes).Select(index => new QemuNames(index)))
        {
            found = true;
            await RemoveAsync(names, nodes, drives, cancellationToken).ConfigureAwait(false);
        }

        foreach (QemuNode node in nodes.Values)
        {
            foreach (QemuBitmap bitmap in node.Bitmaps.Where(bitmap => QemuNames.IsOfRun(bitmap.Name)))
            {
                found = true;
                await qemu.TransactionAsync([QemuCommands.RemoveBitmap(node.Name, bitmap.Name)], cancellationToken).ConfigureAwait(false);
            }
        }

        return found;
    }

    // From above: first nobody reads the moment, then the guest's writes go past the filter, then it goes.
    private async Task RemoveAsync(
        QemuNames names, IReadOnlyDictionary<string, QemuNode> nodes, IReadOnlyList<(string Device, string Drive, string Node)> drives, CancellationToken cancellationToken)
    {
        await DeleteAsync(names.Moment).ConfigureAwait(false);
        if (nodes.ContainsKey(names.Top))
        {
            string source = (await qemu.ReadGraphAsync(cancellationToken).ConfigureAwait(false)).SourceOf(names) ?? throw new BackupException(
                BackupErrorId.VirtualMachineCommandFailed,
                $"An earlier backup of the virtual machine '{qemu.Machine}' has left '{names.Top}', and it cannot be told what is below it.",
                "Restart the virtual machine.",
                qemu.Machine);
            if (nodes.ContainsKey(names.Keeper))
            {
                await qemu.SwitchAsync([(names.Top, source)], cancellationToken).ConfigureAwait(false);
                await DeleteAsync(names.Keeper).ConfigureAwait(false);
            }

            foreach ((string device, _, _) in drives.Where(drive => drive.Node == names.Top))
            {
                await qemu.SetDriveAsync(device, source, cancellationToken).ConfigureAwait(false);
            }

            await DeleteAsync(names.Top).ConfigureAwait(false);
        }
        else
        {
            await DeleteAsync(names.Keeper).ConfigureAwait(false);
        }

        await DeleteAsync(names.Scratch).ConfigureAwait(false);
        await DeleteAsync(names.File).ConfigureAwait(false);

        Task DeleteAsync(string node) => nodes.ContainsKey(node) ? qemu.DeleteNodeAsync(node, cancellationToken) : Task.CompletedTask;
    }

    private static IEnumerable<int> Indexes(IReadOnlyDictionary<string, QemuNode> nodes)
    {
        for (int index = 0; index <= nodes.Count; index++)
        {
            var names = new QemuNames(index);
            if (new[] { names.Top, names.Keeper, names.File, names.Scratch, names.Moment }.Any(nodes.ContainsKey))
            {
                yield return index;
            }
        }
    }
}
