using System.Text.RegularExpressions;
using MSOnlineBackup.Errors;

namespace MSOnlineBackup.Module.Tests;

/// <summary>What Get-OBErrorHelp knows.</summary>
public sealed partial class ErrorHelpTests
{
    [Fact]
    public void Every_number_and_name_of_the_original_that_is_shown_is_found()
    {
        string[] shown =
        [
            .. Directory.EnumerateFiles(Repository.File("src"), "*.cs", SearchOption.AllDirectories)
                .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
                .SelectMany(file => Code().Matches(File.ReadAllText(file)).Select(code => code.Groups["code"].Value))
                .Append("407")
                .Append("UserErrorSecretExistsSoftDeleted")
                .Distinct(),
        ];

        Assert.Contains("SalLowDiskSpace", shown);
        Assert.Contains("Pre-ScriptTimeout", ErrorHelp.All().Single(error => error.Id == "ScriptTimedOut").ErrorCode);
        Assert.Contains("Post-ScriptTimeout", ErrorHelp.All().Single(error => error.Id == "ScriptTimedOut").ErrorCode);
        Assert.Empty(shown.Except(ErrorHelp.All().SelectMany(error => error.ErrorCode)));
    }

    [Fact]
    public void A_word_of_the_sentence_is_no_number() =>
        Assert.All(ErrorHelp.All().SelectMany(error => error.ErrorCode), code => Assert.Matches("^(0x[0-9A-F]+|[0-9]+|[A-Z][A-Za-z0-9-]{8,})$", code));

    [Fact]
    public void Every_code_of_Blob_Storage_that_its_refusals_show_is_found()
    {
        string[] shown =
        [
            .. BlobCode().Matches(File.ReadAllText(Repository.File("src/MSOnlineBackup.Storage.Azure/Blobs/BlobErrors.cs")))
                .Select(code => code.Groups["code"].Value),
            "KeyBasedAuthenticationNotPermitted",
            "PublicAccessNotPermitted",
            "AuthenticationFailed",
            "401",
            "403",
            "404",
        ];

        Assert.Contains("AuthorizationPermissionMismatch", shown);
        Assert.Empty(shown.Except(ErrorHelp.All().SelectMany(error => error.ErrorCode)));
    }

    [GeneratedRegex(@"Is\(answer, (?:BlobErrorCode\.)?(?<code>\w+)\)")]
    private static partial Regex BlobCode();

    [GeneratedRegex(@"(?:errorCode: |const string \w+ = )\x22(?<code>0x[0-9A-F]{4,}|[0-9]{5,}|Sal[A-Za-z]+|UserError[A-Za-z]+)\x22")]
    private static partial Regex Code();
}
