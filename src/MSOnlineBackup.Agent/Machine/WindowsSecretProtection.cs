using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>DPAPI, for the machine: scheduled jobs run under another account than the one that registered it.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe partial class WindowsSecretProtection : ISecretProtection
{
    private const uint NoPrompt = 1;
    private const uint LocalMachine = 4;

    public byte[] Protect(byte[] secret)
    {
        fixed (byte* bytes = secret)
        {
            var input = new Blob { Length = (uint)secret.Length, Bytes = bytes };
            return Take(Protect(&input, null, null, null, null, NoPrompt | LocalMachine, out Blob output), output);
        }
    }

    public byte[] Unprotect(byte[] stored)
    {
        fixed (byte* bytes = stored)
        {
            var input = new Blob { Length = (uint)stored.Length, Bytes = bytes };
            return Take(Unprotect(&input, null, null, null, null, NoPrompt | LocalMachine, out Blob output), output);
        }
    }

    private static byte[] Take(int succeeded, Blob output)
    {
        if (succeeded == 0)
        {
            throw new BackupException(
                BackupErrorId.StateInvalid,
                $"Windows does not open the secret of this machine: {Marshal.GetLastPInvokeErrorMessage()}.",
                "If the state was copied from another machine, delete 'secret.json', make the key file anew with 'Repair-OBKey', and set the proxy's password again.");
        }

        try
        {
            return new ReadOnlySpan<byte>(output.Bytes, (int)output.Length).ToArray();
        }
        finally
        {
            NativeMemory.Clear(output.Bytes, output.Length);
            Marshal.FreeHGlobal((nint)output.Bytes);
        }
    }

    [LibraryImport("crypt32", EntryPoint = "CryptProtectData", SetLastError = true)]
    private static partial int Protect(Blob* input, char* description, Blob* entropy, void* reserved, void* prompt, uint flags, out Blob output);

    [LibraryImport("crypt32", EntryPoint = "CryptUnprotectData", SetLastError = true)]
    private static partial int Unprotect(Blob* input, char** description, Blob* entropy, void* reserved, void* prompt, uint flags, out Blob output);

    /// <summary>DATA_BLOB.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Blob
    {
        public uint Length;
        public byte* Bytes;
    }
}
