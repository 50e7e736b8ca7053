using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.GuestAgent;

/// <summary>What holds the file systems of a guest still, and sees to it that they are let go, also where this process is killed.</summary>
public interface IGuestFreezer
{
    /// <summary>Holds them still.</summary>
    /// <param name="agentSocket">The socket of the guest's agent.</param>
    /// <param name="limits">How long it may take.</param>
    /// <param name="cancellationToken">Stops it; then nothing is held.</param>
    /// <exception cref="BackupException">GuestNotFrozen: nothing is held; GuestNotThawed: it is not known.</exception>
    Task<IGuestFreeze> FreezeAsync(string agentSocket, FreezeLimits limits, CancellationToken cancellationToken);
}

/// <summary>A guest whose file systems are held still. Where it is disposed of, they are let go.</summary>
public interface IGuestFreeze : IAsyncDisposable
{
    /// <summary>How many file systems are held.</summary>
    int FileSystems { get; }

    /// <summary>Whether the guest is a Windows: its programs have brought their files into order (VSS).</summary>
    bool IsWindows { get; }

    /// <summary>Lets go.</summary>
    /// <returns>Whether they were held until now: what was done meanwhile saw them still.</returns>
    /// <exception cref="BackupException">GuestNotThawed.</exception>
    Task<bool> ThawAsync();
}
