using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>This machine's scratch folder: where the key file lies. Which folders may be one is decided by <see cref="Scratch"/>.</summary>
public sealed class ScratchFolder
{
    private const string DefaultName = "scratch";

    // Less than this, and a volume counts as full: a key file has 150 bytes.
    private const long LeastRoom = 64 << 10;

    private readonly StateFolder _folder;
    private readonly AccountState _account;
    private readonly KeyFileStore _keyFile;

    internal ScratchFolder(StateFolder folder, AccountState account, KeyFileStore keyFile)
    {
        _folder = folder;
        _account = account;
        _keyFile = keyFile;
    }

    /// <summary>The folder, whether it is there or not.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public string Path => PathOf(_account.Read());

    /// <summary>Whether the folder's volume has the room that so much data ask for.</summary>
    /// <param name="protectedBytes">Bytes that are protected in all.</param>
    /// <exception cref="BackupException">ActivationDamaged where the folder is not there.</exception>
    public ScratchCheck CheckRoom(long protectedBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(protectedBytes);
        string folder = Find(_account.Read());
        return new ScratchCheck(folder, Scratch.FreeBytes(folder), protectedBytes);
    }

    /// <summary>
    /// Makes another folder the scratch folder, and brings the key file, which is all that it holds, there: written, flushed, read back and compared; then the
    /// machine's state names the new folder, all at once; then the old file goes. A crash at any instant leaves a folder in force that has its key file.
    /// </summary>
    /// <param name="folder">An existing folder, by its absolute path.</param>
    /// <param name="cancellationToken">Stops waiting for others who change the machine's account.</param>
    /// <exception cref="BackupException">ScratchInvalid, KeyFileInvalid, ActivationFailed.</exception>
    public async Task MoveAsync(string folder, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using IDisposable _ = await _account.LockAsync(cancellationToken).ConfigureAwait(false);
        Scratch.Check(folder);
        MachineState? state = _account.Read();
        string source = PathOf(state);
        bool isCopied = false;
        if (state?.Activation is not null && KeyFileStore.IsIn(source) && source != folder)
        {
            isCopied = _keyFile.Copy(source, folder, state.Registration!);
        }

        _account.Update(known => known with { Scratch = folder });
        if (isCopied)
        {
            KeyFileStore.Delete(source);
        }
    }

    /// <summary>The folder by the machine's state.</summary>
    internal string PathOf(MachineState? state) => state?.Scratch ?? _folder.PathOf(DefaultName);

    /// <summary>The folder, which must be there.</summary>
    /// <exception cref="BackupException">ActivationDamaged.</exception>
    internal string Find(MachineState? state)
    {
        string scratch = PathOf(state);
        return Directory.Exists(scratch)
            ? scratch
            : throw ActivationErrors.Damaged(
                $"The scratch folder '{scratch}' was not found: it was moved or deleted, or its disk is not mounted",
                "Mount the disk or put the folder back. If it is lost, make an empty folder in its place and run "
                    + "'Repair-OBKey' with this machine's passphrase.",
                scratch);
    }

    /// <summary>The folder, for a key file that is to be written: made where it is the one in the state folder, and with room.</summary>
    /// <exception cref="BackupException">ActivationDamaged, ScratchInvalid, StateAccessDenied.</exception>
    internal string Prepare(MachineState state)
    {
        if (state.Scratch is null)
        {
            _folder.MakeFolder(DefaultName);
        }

        string scratch = Find(state);
        Scratch.Check(scratch);
        return Scratch.FreeBytes(scratch) >= LeastRoom
            ? scratch
            : throw ActivationErrors.Damaged(
                $"The volume of the scratch folder '{scratch}' is full",
                "Free up space on the volume (at least 5 % of the data to be protected), or move the scratch folder.",
                scratch);
    }
}
