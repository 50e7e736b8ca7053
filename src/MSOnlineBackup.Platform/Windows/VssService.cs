using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>That of this machine.</summary>
internal sealed unsafe partial class VssService : IVssService
{
    private const int TooLate = unchecked((int)0x8001_0119);
    private const uint PacketPrivacy = 6;
    private const uint Impersonate = 3;
    private const uint DynamicCloaking = 0x40;

    // Once in a process: COM is set up for as long as it runs.
    private static readonly Lazy<int> _prepared = new(Prepare);

    /// <inheritdoc/>
    public string? FindObstacle() =>
        RuntimeInformation.OSArchitecture != RuntimeInformation.ProcessArchitecture ? "The service for shadow copies takes no requests of a program for another processor."
        : !Environment.IsPrivilegedProcess ? "This account may not make shadow copies; an administrator (elevated) may."
        : !HasService() ? "There is no service for shadow copies on this Windows."
        : null;

    /// <inheritdoc/>
    public int Begin(out IVssRequester? requester)
    {
        requester = null;
        int result = _prepared.Value;
        if (result < 0)
        {
            return result;
        }

        nint begun = 0;
        result = CreateVssBackupComponents(&begun);
        requester = begun == 0 ? null : new VssRequester(begun, static properties => VssFreeSnapshotProperties(properties));
        return result;
    }

    // Writers call back, from accounts of services. Where this process says nothing, COM refuses them, and the event log has an error (8194) for each. What is
    // said here is what Microsoft's own sample (VShadow) says; a program that hosts this one may have said something before, and then that holds.
    private static int Prepare()
    {
        nint cookie;
        int result = CoIncrementMTAUsage(&cookie);
        if (result < 0)
        {
            return result;
        }

        result = CoInitializeSecurity(0, -1, 0, 0, PacketPrivacy, Impersonate, 0, DynamicCloaking, 0);
        return result == TooLate ? 0 : result;
    }

    // Reduced editions have no such library.
    private static bool HasService() =>
        NativeLibrary.TryLoad("vssapi", out nint library)
        && NativeLibrary.TryGetExport(library, "CreateVssBackupComponentsInternal", out _)
        && NativeLibrary.TryGetExport(library, "VssFreeSnapshotPropertiesInternal", out _);

    [LibraryImport("vssapi", EntryPoint = "CreateVssBackupComponentsInternal")]
    private static partial int CreateVssBackupComponents(nint* requester);

    [LibraryImport("vssapi", EntryPoint = "VssFreeSnapshotPropertiesInternal")]
    private static partial void VssFreeSnapshotProperties(nint properties);

    [LibraryImport("ole32")]
    private static partial int CoIncrementMTAUsage(nint* cookie);

    [LibraryImport("ole32")]
    private static partial int CoInitializeSecurity(
        nint descriptor, int services, nint service, nint reserved, uint authentication, uint impersonation, nint list, uint capabilities, nint reservedToo);
}
