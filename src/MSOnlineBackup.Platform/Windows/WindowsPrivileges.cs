using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Windows;

/// <summary>
/// The privileges of a backup: an administrator has them and they are off until they are asked for. Without, what only its owner may read is not read
/// although every item is opened with the intent to back it up.
/// </summary>
internal static unsafe partial class WindowsPrivileges
{
    private static readonly string[] _names = ["SeBackupPrivilege", "SeRestorePrivilege", "SeSecurityPrivilege", "SeCreateSymbolicLinkPrivilege"];
    private static readonly Lazy<bool> _enabled = new(EnableEach);

    /// <summary>Turns on those that this account has. Those that it has not are missed where they are needed, and told there.</summary>
    public static void Enable() => _ = _enabled.Value;

    private static bool EnableEach()
    {
        const uint Adjust = 0x20;
        const uint Query = 0x8;
        if (!OpenProcessToken(GetCurrentProcess(), Adjust | Query, out nint token))
        {
            return false;
        }

        bool all = true;
        foreach (string name in _names)
        {
            var state = new Privilege { Count = 1, Attributes = 0x2 };
            all &= LookupPrivilegeValue(null, name, out state.Id) && AdjustTokenPrivileges(token, false, &state, 0, null, null)
                && Marshal.GetLastPInvokeError() == 0;
        }

        CloseHandle(token);
        return all;
    }

    [LibraryImport("kernel32")]
    private static partial nint GetCurrentProcess();

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CloseHandle(nint handle);

    [LibraryImport("advapi32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool OpenProcessToken(nint process, uint access, out nint token);

    [LibraryImport("advapi32", EntryPoint = "LookupPrivilegeValueW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool LookupPrivilegeValue(string? system, string name, out long id);

    [LibraryImport("advapi32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool AdjustTokenPrivileges(
        nint token, [MarshalAs(UnmanagedType.Bool)] bool disableAll, Privilege* state, uint length, void* previous, uint* needed);

    // TOKEN_PRIVILEGES with one of them.
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Privilege
    {
        public uint Count;
        public long Id;
        public uint Attributes;
    }
}
